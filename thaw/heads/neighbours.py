"""Nearest neighbours: the classes of the most similar training rows, as logits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from thaw.heads.standardisation import Standardisation, fit_standardisation
from thaw.params.values.strategy import HeadKind

SIMILARITIES = 2**24  # the number at a time (64 MB), for any number of rows on either side


@dataclass(frozen=True, eq=False)
class NeighboursModel:
    """The votes of the `neighbours` rows of largest cosine, after standardisation.

    rows: float32 [M, D], standardised, of length 1. targets: int64 [M], or bool [M, C] of label sets. class_weights: float32 [C], the weight of a vote for the
    class; or [2, C], of a vote against it and of a vote for it.
    """

    kind: ClassVar[HeadKind] = "knn"

    standardisation: Standardisation
    rows: Tensor
    targets: Tensor
    class_weights: Tensor
    neighbours: int

    def logits(self, features: Tensor) -> Tensor:
        """[N, D] float32 -> [N, C] float32: the log of the shares of the votes, after one vote is spread over all classes.

        With label sets the log of the votes for a class over those against it, after half a vote is added to both.
        """
        (logits,) = logits_of_all([self], features)
        return logits

    @property
    def numbers_a_row(self) -> int:
        """The least number of intermediate values for a row."""
        votes = 1 if self.targets.dim() == 1 else self.targets.shape[1]
        return max(len(self.rows), self.neighbours * votes)

    def logits_at_once(self, features: Tensor) -> Tensor:
        """The logits of all rows at once, in operations that an exported graph can hold."""
        return self.log_shares(self.nearest(features, self.neighbours))

    def nearest(self, features: Tensor, count: int) -> Tensor:
        """The `count` rows of largest cosine, the nearest first: int64 [N, count]."""
        similar = F.normalize(self.standardisation.apply(features)) @ self.rows.T
        return similar.topk(count, dim=1).indices

    def log_shares(self, nearest: Tensor) -> Tensor:
        """The logits by the votes of the first `neighbours` of the rows `nearest`, int64 [N, `neighbours` or more]: float32 [N, C]."""
        voters = self.targets[nearest[:, : self.neighbours]]
        if self.targets.dim() == 2:
            shown = voters.float().sum(1)
            against, votes = self.class_weights
            odds: Tensor = (shown * votes + 0.5) / ((self.neighbours - shown) * against + 0.5)
            return odds.log()
        # `len` would fix the number of rows in an exported graph.
        votes = torch.zeros(nearest.shape[0], len(self.class_weights))
        votes = votes.scatter_add_(1, voters, self.class_weights[voters]) + 1 / len(self.class_weights)
        return (votes / votes.sum(1, keepdim=True)).log()


def logits_of_all(models: Sequence[NeighboursModel], features: Tensor) -> list[Tensor]:
    """The logits of each model, as `NeighboursModel.logits` gives them; the models share their rows, so one product of similarities serves all.

    Source: dinov2, `eval/knn.py`, where one ranking of the neighbours serves every k.
    """
    size = max(1, SIMILARITIES // max(model.numbers_a_row for model in models))
    most = max(model.neighbours for model in models)
    ranked = [models[0].nearest(block, most) for block in features.split(size)]
    if not ranked:
        return [torch.zeros(0, model.class_weights.shape[-1]) for model in models]
    return [torch.cat([model.log_shares(nearest) for nearest in ranked]) for model in models]


def fit_neighbours(
    features: Tensor, targets: Tensor, *, class_weights: Tensor, neighbours: Sequence[int]
) -> list[NeighboursModel]:
    """One model for each number of neighbours; a number above that of the rows means all rows.

    features: float32 [N, D]. targets: int64 [N] or bool [N, C]. class_weights: float32 [C] or [2, C].
    """
    standardisation = fit_standardisation(features)
    rows = F.normalize(standardisation.apply(features))
    return [
        NeighboursModel(standardisation, rows, targets, class_weights, min(count, len(rows))) for count in neighbours
    ]
