"""Observed examples: their features and a model's answers for them. The reference and a new batch both have this form."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from thaw.models.prediction.answer import Answer

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Observed:
    """A model's answers for N examples; row i belongs to the example `digests[i]`.

    features: float32 [N, D], the model's input. named: bool [N, C], the named classes: the most probable class, accepted or not; or a set.
    confidences: float32 [N], of the most probable class; None if the model names sets. accepted: bool [N], whether an example counts as one of a known class,
    and known_scores: float32 [N]; None if the model knows no `neither`.
    """

    digests: tuple[bytes, ...]
    features: Floats
    named: Bools
    confidences: Floats | None
    accepted: Bools | None
    known_scores: Floats | None

    def __len__(self) -> int:
        return len(self.digests)

    def rows(self, kept: Bools) -> "Observed":
        """The rows where `kept`, bool [N], is true."""
        return Observed(
            tuple(digest for digest, keep in zip(self.digests, kept, strict=True) if keep),
            self.features[kept],
            self.named[kept],
            None if self.confidences is None else self.confidences[kept],
            None if self.accepted is None else self.accepted[kept],
            None if self.known_scores is None else self.known_scores[kept],
        )


def observe(digests: Sequence[bytes], features: torch.Tensor, answer: Answer) -> Observed:
    """The model's answer for examples, with their features, float32 [N, D]."""
    rows = np.asarray(features.numpy(), np.float32)
    accepted = None if answer.known_scores is None else answer.accepted
    return Observed(tuple(digests), rows, answer.closed_set, answer.confidences, accepted, answer.known_scores)
