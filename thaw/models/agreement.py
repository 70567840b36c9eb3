"""The agreement of two ways to a model's answers on the same examples."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

DECIMALS = 7
"""The decimals of the shares and differences: float32 holds no more, and the last digits vary with the number of threads."""


class Answers(Protocol):
    """A model's answers for N examples: probabilities float32 [N, C], and a label or a set of labels for each."""

    @property
    def probabilities(self) -> "np.ndarray[Any, np.dtype[np.float32]]": ...

    @property
    def labels(self) -> Iterable[object]: ...


@dataclass(frozen=True)
class Agreement:
    """The agreement of two answers. labels_equal: the share of examples with the same label or set. largest_difference: of a probability."""

    labels_equal: float
    largest_difference: float


def agreement_of(first_answers: Answers, second_answers: Answers) -> Agreement:
    """The agreement of two answers for the same N examples; N > 0."""
    equal = np.mean(
        [first == second for first, second in zip(first_answers.labels, second_answers.labels, strict=True)]
    )
    largest = np.abs(first_answers.probabilities.astype(np.float64) - second_answers.probabilities).max()
    return Agreement(round(float(equal), DECIMALS), round(float(largest), DECIMALS))
