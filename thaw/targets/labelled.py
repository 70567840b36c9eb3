"""Features with their labels: the data on which a head is fitted and measured."""

from dataclasses import dataclass

import torch
from torch import Tensor

from thaw.targets.target import Target, target_of_targets


@dataclass(frozen=True, eq=False)
class LabelledFeatures:
    """Rows of features with their labels.

    features: float32 [N, D]. targets: int64 [N], each an index in `class_names`, or bool [N, C], the classes that each row shows. groups: int64 [N], rows
    with the same number share a fold of a cross-validation; None: every row is its own group. judges: bool [N], the rows that may judge a setting when they
    are held out; None: all rows.
    """

    features: Tensor
    targets: Tensor
    class_names: tuple[str, ...]
    groups: Tensor | None = None
    judges: Tensor | None = None

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def target(self) -> Target:
        """The target of the labels."""
        return target_of_targets(self.targets)

    def rows(self, index: Tensor) -> "LabelledFeatures":
        """The rows that `index` picks: int64 [M] or bool [N]."""
        groups = None if self.groups is None else self.groups[index]
        judges = None if self.judges is None else self.judges[index]
        return LabelledFeatures(self.features[index], self.targets[index], self.class_names, groups, judges)

    def judging(self) -> "LabelledFeatures":
        """The rows that may judge a setting."""
        return self if self.judges is None else self.rows(self.judges)


def label_views(
    features: Tensor, targets: Tensor, class_names: tuple[str, ...], groups: Tensor | None = None
) -> LabelledFeatures:
    """Examples in several views, the plain view first: features float32 [N, V, D], targets int64 [N] or bool [N, C], groups int64 [N].

    Every view is a row. The views of an example share its target and its fold, and only the first view judges, so all examples have the same weight.
    """
    rows, views, _ = features.shape
    if views == 1:
        return LabelledFeatures(features[:, 0], targets, class_names, groups)
    own = torch.arange(rows) if groups is None else groups
    first = torch.arange(rows * views) % views == 0
    return LabelledFeatures(
        features.flatten(0, 1), targets.repeat_interleave(views, 0), class_names, own.repeat_interleave(views), first
    )


def joined(first_rows: LabelledFeatures, second_rows: LabelledFeatures) -> LabelledFeatures:
    """The rows of both, which have the same classes; groups of the two stay apart."""
    groups = judges = None
    if first_rows.groups is not None or second_rows.groups is not None:
        first = _each_its_own(first_rows) if first_rows.groups is None else first_rows.groups
        second = _each_its_own(second_rows) if second_rows.groups is None else second_rows.groups
        groups = torch.cat([first, second + int(first.max()) + 1])
    if first_rows.judges is not None or second_rows.judges is not None:
        judges = torch.cat(
            [
                torch.ones(len(part), dtype=torch.bool) if part.judges is None else part.judges
                for part in (first_rows, second_rows)
            ]
        )
    features, targets = (
        torch.cat([first_rows.features, second_rows.features]),
        torch.cat([first_rows.targets, second_rows.targets]),
    )
    return LabelledFeatures(features, targets, first_rows.class_names, groups, judges)


def _each_its_own(rows: LabelledFeatures) -> Tensor:
    return torch.arange(len(rows))
