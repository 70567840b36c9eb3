"""A head for label sets: a linear layer, and for each class the probability from which on it is named."""

from dataclasses import dataclass

from torch import Tensor

from thaw.heads.fitted import Trial
from thaw.heads.logistic import LogisticModel
from thaw.targets.label_sets.thresholds import named


@dataclass(frozen=True, eq=False)
class LabelSetHead:
    """A head, ready for use. Class i is `class_names[i]`, and is named from the probability `thresholds[i]` on.

    trials: what was tried; their accuracy is the share of decisions (a row and a class) that are right at a probability of one half before calibration.
    """

    model: LogisticModel
    class_names: tuple[str, ...]
    temperature: float
    thresholds: tuple[float, ...]
    trials: tuple[Trial, ...]

    @property
    def kind(self) -> str:
        """`linear`: there is no other yet."""
        return self.model.kind

    def logits(self, features: Tensor) -> Tensor:
        """Uncalibrated, of each class against its absence: float32 [N, D] -> float32 [N, C]."""
        return self.model.logits(features)

    def probabilities(self, features: Tensor) -> Tensor:
        """Calibrated, each class by itself: float32 [N, D] -> float32 [N, C]."""
        return (self.logits(features) / self.temperature).sigmoid()

    def named(self, probabilities: Tensor) -> Tensor:
        """Which classes are named: float32 [N, C] -> bool [N, C]."""
        return named(probabilities, self.thresholds)
