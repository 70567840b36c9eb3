"""Features with their labels: what a head is fitted on and measured with."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class LabelledFeatures:
    """Rows of features and what they show.

    features: float32 [N, D]. targets: int64 [N], each an index in `class_names`. groups: int64 [N], rows with
    the same number share a fold of a cross-validation; None means that every row stands for itself.
    """

    features: Tensor
    targets: Tensor
    class_names: tuple[str, ...]
    groups: Tensor | None = None

    def __len__(self) -> int:
        return len(self.targets)

    def rows(self, index: Tensor) -> "LabelledFeatures":
        """The rows that `index` picks: int64 [M] or bool [N]."""
        groups = None if self.groups is None else self.groups[index]
        return LabelledFeatures(self.features[index], self.targets[index], self.class_names, groups)
