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
        (logits,) = logits_of_all([self], features)
        return logits

    def logits_at_once(self, features: Tensor) -> Tensor:
        """The same of all rows at once, in operations alone: what an exported graph is made of."""
        return self.log_shares(self.nearest(features, self.neighbours))

    def nearest(self, features: Tensor, count: int) -> Tensor:
        """The `count` rows of largest cosine, the nearest first: int64 [N, count]."""
        similar = F.normalize(self.standardisation.apply(features)) @ self.rows.T
        return similar.topk(count, dim=1).indices

    def log_shares(self, nearest: Tensor) -> Tensor:
        """The log shares of the votes of the first of the rows `nearest`, int64 [N, `neighbours` or more]: float32 [N, C]."""
        voters = self.targets[nearest[:, : self.neighbours]]
        # Not `len`, which would nail an exported graph to one number of rows.
        votes = torch.zeros(nearest.shape[0], len(self.class_weights))
        votes = votes.scatter_add_(1, voters, self.class_weights[voters]) + 1 / len(self.class_weights)
        return (votes / votes.sum(1, keepdim=True)).log()


def logits_of_all(models: Sequence[NeighboursModel], features: Tensor) -> list[Tensor]:
    """The logits of each model, as `NeighboursModel.logits` gives them; the models share their rows, so one product of similarities serves all.

    Source of sharing it: dinov2, `eval/knn.py`, where one ranking of the neighbours serves every k.
    """
    size, most = max(1, SIMILARITIES // len(models[0].rows)), max(model.neighbours for model in models)
    ranked = [models[0].nearest(block, most) for block in features.split(size)]
    if not ranked:
        return [torch.zeros(0, len(model.class_weights)) for model in models]
    return [torch.cat([model.log_shares(nearest) for nearest in ranked]) for model in models]


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
