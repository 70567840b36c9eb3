"""Nearest neighbours: the classes of the most similar training rows, as logits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from thaw.heads.standardisation import Standardisation, fit_standardisation
from thaw.params.strategy import HeadKind

SIMILARITIES = 2**24  # at a time (64 MB), however many rows there are on either side


@dataclass(frozen=True, eq=False)
class NeighboursModel:
    """Votes of the `neighbours` rows of largest cosine, after standardisation.

    rows: float32 [M, D], standardised, of length 1. targets: int64 [M]. class_weights: float32 [C], what a
    vote for the class weighs.
    """

    kind: ClassVar[HeadKind] = "knn"

    standardisation: Standardisation
    rows: Tensor
    targets: Tensor
    class_weights: Tensor
    neighbours: int

    def logits(self, features: Tensor) -> Tensor:
        """[N, D] float32 -> [N, C] float32: the log of the shares of the votes, one vote spread over all
        classes added."""
        size = max(1, SIMILARITIES // len(self.rows))
        found = [self.logits_at_once(block) for block in features.split(size)]
        return torch.cat(found) if found else torch.zeros(0, len(self.class_weights))

    def logits_at_once(self, features: Tensor) -> Tensor:
        """The same of all rows at once, in operations alone: what an exported graph is made of."""
        similar = F.normalize(self.standardisation.apply(features)) @ self.rows.T
        voters = self.targets[similar.topk(self.neighbours, dim=1).indices]
        # Not `len`, which would nail an exported graph to one number of rows.
        votes = torch.zeros(features.shape[0], len(self.class_weights))
        votes = votes.scatter_add_(1, voters, self.class_weights[voters]) + 1 / len(self.class_weights)
        return (votes / votes.sum(1, keepdim=True)).log()


def fit_neighbours(
    features: Tensor, targets: Tensor, *, class_weights: Tensor, neighbours: Sequence[int]
) -> list[NeighboursModel]:
    """One model for each number of neighbours; more than there are rows means all of them.

    features: float32 [N, D]. targets: int64 [N]. class_weights: float32 [C].
    """
    standardisation = fit_standardisation(features)
    rows = F.normalize(standardisation.apply(features))
    return [
        NeighboursModel(standardisation, rows, targets, class_weights, min(count, len(rows))) for count in neighbours
    ]
