"""Features with their label sets: what a multi-label head is fitted on and measured with."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from thaw.dataset.manifest import Example


@dataclass(frozen=True, eq=False)
class LabelSetFeatures:
    """Rows of features and what they show.

    features: float32 [N, D]. targets: bool [N, C], whether the row shows the class. groups: int64 [N], rows with the same number share a fold; None: every
    row stands for itself. judges: bool [N], the rows that may judge a setting once they are held out; None means all.
    """

    features: Tensor
    targets: Tensor
    class_names: tuple[str, ...]
    groups: Tensor | None = None
    judges: Tensor | None = None

    def __len__(self) -> int:
        return len(self.targets)

    def rows(self, index: Tensor) -> "LabelSetFeatures":
        """The rows that `index` picks: int64 [M] or bool [N]."""
        groups = None if self.groups is None else self.groups[index]
        judges = None if self.judges is None else self.judges[index]
        return LabelSetFeatures(self.features[index], self.targets[index], self.class_names, groups, judges)

    def judging(self) -> "LabelSetFeatures":
        """The rows that may judge a setting."""
        return self if self.judges is None else self.rows(self.judges)


def label_set_views(
    features: Tensor, targets: Tensor, class_names: tuple[str, ...], groups: Tensor | None = None
) -> LabelSetFeatures:
    """Images in several views, the image as it is first: features float32 [N, V, D], targets bool [N, C], groups int64 [N].

    As `thaw.targets.labelled.label_views`: every view is a row, the views of an image share its labels and its fold, and only the first judges.
    """
    images, views, _ = features.shape
    if views == 1:
        return LabelSetFeatures(features[:, 0], targets, class_names, groups)
    own = torch.arange(images) if groups is None else groups
    first = torch.arange(images * views) % views == 0
    return LabelSetFeatures(
        features.flatten(0, 1),
        targets.repeat_interleave(views, 0),
        class_names,
        own.repeat_interleave(views),
        first,
    )


def targets_of(rows: Sequence[Example], class_names: tuple[str, ...]) -> Tensor:
    """Which classes each labelled row shows, bool [N, C]."""
    shown = [[name in (row.labels or ()) for name in class_names] for row in rows]
    return torch.tensor(shown, dtype=torch.bool).view(len(rows), len(class_names))
