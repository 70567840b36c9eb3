"""Observed images: their features, and what a model says of them. The reference and a new batch are both of this form."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from thaw.models.answer import Answer

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Observed:
    """What a model says of N images, row i of the image `digests[i]`.

    features: float32 [N, D], that it says it by. named: bool [N, C], the classes that it names: the most probable one, whether it is accepted or not; or a set.
    confidences: float32 [N], of the most probable class; None of a model that names sets. accepted: bool [N], whether an image is taken for one of a known
    class, and known_scores: float32 [N]; None of a model that knows no others.
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


def observe(digests: Sequence[bytes], features: torch.Tensor, said: Answer) -> Observed:
    """What a model said of images by their features, float32 [N, D]."""
    rows = np.asarray(features.numpy(), np.float32)
    named = most_probable(said.probabilities) if said.exclusive else said.named
    accepted = None if said.known_scores is None else said.accepted
    return Observed(tuple(digests), rows, named, said.confidences, accepted, said.known_scores)


def most_probable(probabilities: Floats) -> Bools:
    """The most probable class of each row: float32 [N, C] -> bool [N, C], one a row."""
    return np.asarray(np.eye(probabilities.shape[1], dtype=np.bool_)[probabilities.argmax(1)])
