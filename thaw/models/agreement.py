"""How far two ways to a model's answers agree on the same images."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

DECIMALS = 7
"""Of the shares and differences: float32 holds no more, and the last digits vary with the number of threads."""


class Said(Protocol):
    """What a model says of N images: probabilities float32 [N, C]; a label each, or a set of them."""

    @property
    def probabilities(self) -> "np.ndarray[Any, np.dtype[np.float32]]": ...

    @property
    def said(self) -> Iterable[object]: ...


@dataclass(frozen=True)
class Agreement:
    """labels_equal: the share of images with the same label, or the same set. largest_difference: of a probability."""

    labels_equal: float
    largest_difference: float


def agreement_of(one: Said, other: Said) -> Agreement:
    """How far two answers on the same N images agree; N > 0."""
    equal = np.mean([first == second for first, second in zip(one.said, other.said, strict=True)])
    largest = np.abs(one.probabilities.astype(np.float64) - other.probabilities).max()
    return Agreement(round(float(equal), DECIMALS), round(float(largest), DECIMALS))
