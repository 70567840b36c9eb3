"""Features with their labels: what a head is fitted on and measured with."""

from dataclasses import dataclass

import torch
from torch import Tensor

from thaw.targets.target import Target, target_of_targets


@dataclass(frozen=True, eq=False)
class LabelledFeatures:
    """Rows of features and what they show.

    features: float32 [N, D]. targets: int64 [N], each an index in `class_names`, or bool [N, C], the classes that each row shows. groups: int64 [N], rows
    with the same number share a fold of a cross-validation; None means that every row stands for itself. judges: bool [N], the rows that may judge a setting
    once they are held out; None means all.
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
        """What a label is."""
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
    """Images in several views, the image as it is first: features float32 [N, V, D], targets int64 [N] or bool [N, C], groups
    int64 [N].

    Every view is a row; the views of an image share its target and its fold, and only the first judges. So each image weighs the same as any other.
    """
    images, views, _ = features.shape
    if views == 1:
        return LabelledFeatures(features[:, 0], targets, class_names, groups)
    own = torch.arange(images) if groups is None else groups
    first = torch.arange(images * views) % views == 0
    return LabelledFeatures(
        features.flatten(0, 1), targets.repeat_interleave(views, 0), class_names, own.repeat_interleave(views), first
    )


def joined(one: LabelledFeatures, other: LabelledFeatures) -> LabelledFeatures:
    """The rows of both, of the same classes; no group of one is a group of the other."""
    groups = judges = None
    if one.groups is not None or other.groups is not None:
        first = _each_its_own(one) if one.groups is None else one.groups
        second = _each_its_own(other) if other.groups is None else other.groups
        groups = torch.cat([first, second + int(first.max()) + 1])
    if one.judges is not None or other.judges is not None:
        judges = torch.cat(
            [torch.ones(len(part), dtype=torch.bool) if part.judges is None else part.judges for part in (one, other)]
        )
    features, targets = torch.cat([one.features, other.features]), torch.cat([one.targets, other.targets])
    return LabelledFeatures(features, targets, one.class_names, groups, judges)


def _each_its_own(rows: LabelledFeatures) -> Tensor:
    return torch.arange(len(rows))
