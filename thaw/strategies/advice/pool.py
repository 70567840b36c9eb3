"""The rows of the advice, and the folds in which each row is judged."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from thaw.targets.labelled import LabelledFeatures
from thaw.targets.target import NEVER, Target, target_of_targets


@dataclass(frozen=True, eq=False)
class Pool:
    """Labelled rows of train and validation, without any of the test.

    features: float32 [N, D] for each cut layer by name, in order of depth. targets: int64 [N], indices in `class_names`, or bool [N, C], the classes that each
    row shows. groups: int64 [N], rows with the same number share a fold; None: every row is its own group. learns: bool [N], the rows that may be used for
    training, while the others only judge; None: all rows.
    """

    features: Mapping[str, Tensor]
    targets: Tensor
    class_names: tuple[str, ...]
    groups: Tensor | None = None
    learns: Tensor | None = None

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def target(self) -> Target:
        """The target of the labels."""
        return target_of_targets(self.targets)

    @property
    def layers(self) -> tuple[str, ...]:
        return tuple(self.features)

    @property
    def learners(self) -> Tensor:
        """The rows that may be used for training, int64 [M]."""
        return torch.arange(len(self)) if self.learns is None else self.learns.nonzero().flatten()

    def labelled(self, layer: str, rows: Tensor) -> LabelledFeatures:
        """Rows, int64 [M], with the features of one layer."""
        groups = None if self.groups is None else self.groups[rows]
        return LabelledFeatures(self.features[layer][rows], self.targets[rows], self.class_names, groups)

    def rows(self, rows: Tensor) -> "Pool":
        """The pool of some rows, int64 [M]."""
        return Pool(
            {layer: features[rows] for layer, features in self.features.items()},
            self.targets[rows],
            self.class_names,
            None if self.groups is None else self.groups[rows],
            None if self.learns is None else self.learns[rows],
        )


@dataclass(frozen=True, eq=False)
class Fold:
    """The training rows and the judged rows of a fold, each int64 [M] rows of the pool; `repeat` is the number of the draw."""

    repeat: int
    learn: Tensor
    judge: Tensor


def draw_folds(pool: Pool, *, folds: int, repeats: int, seed: int) -> tuple[Fold, ...]:
    """Stratified folds, drawn `repeats` times; within one draw each row is judged once, by a model that has seen neither the row nor its group.

    A row whose class would be missing from the training without it is never judged, and always used for training. Empty if no row can be held out.
    """
    return tuple(fold for repeat in range(repeats) for fold in _one_draw(pool, folds, repeat, seed))


def _one_draw(pool: Pool, folds: int, repeat: int, seed: int) -> list[Fold]:
    learners = pool.learners
    groups = None if pool.groups is None else pool.groups[learners]
    drawn = 1_000 * seed + repeat
    dealt = torch.full((len(pool),), NEVER)
    dealt[learners] = pool.target.folds(pool.targets[learners], count=folds, seed=drawn, groups=groups)
    if pool.learns is not None:
        others = (~pool.learns).nonzero().flatten()
        order = torch.randperm(len(others), generator=torch.Generator().manual_seed(drawn))
        dealt[others[order]] = torch.arange(len(others)) % folds
    return [
        Fold(repeat, learners[dealt[learners] != number], (dealt == number).nonzero().flatten())
        for number in dealt[dealt != NEVER].unique().tolist()
    ]
