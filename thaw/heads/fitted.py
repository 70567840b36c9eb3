"""What a fitted head is: a model on features, its classes, its temperature, and what was tried on the way."""

from dataclasses import dataclass

from torch import Tensor

from thaw.heads.logistic import LogisticModel
from thaw.heads.mlp import MlpModel
from thaw.heads.neighbours import NeighboursModel
from thaw.params.strategy import HeadKind

Model = LogisticModel | NeighboursModel | MlpModel


@dataclass(frozen=True)
class Setting:
    """One setting that was tried; None where the kind has no such setting."""

    l2: float | None = None
    neighbours: int | None = None
    epochs: int | None = None

    def __str__(self) -> str:
        named = (("l2", self.l2), ("neighbours", self.neighbours), ("epochs", self.epochs))
        return ", ".join(f"{name} {value:g}" for name, value in named if value is not None)


@dataclass(frozen=True)
class Trial:
    """A setting, and what it reached on rows that it was not trained on; None where there were no such rows.

    log_loss: weighted by class like the training's loss, before calibration. accuracy: of all rows alike.
    """

    setting: Setting
    log_loss: float | None
    accuracy: float | None
    chosen: bool


@dataclass(frozen=True, eq=False)
class FittedHead:
    """A head, ready for use. Class i is `class_names[i]`."""

    model: Model
    class_names: tuple[str, ...]
    temperature: float
    trials: tuple[Trial, ...]

    @property
    def kind(self) -> HeadKind:
        """`linear`, `mlp` or `knn`."""
        return self.model.kind

    def logits(self, features: Tensor) -> Tensor:
        """Uncalibrated: float32 [N, D] -> float32 [N, C]."""
        return self.model.logits(features)

    def probabilities(self, features: Tensor) -> Tensor:
        """Calibrated: float32 [N, D] -> float32 [N, C], each row of sum 1."""
        return (self.logits(features) / self.temperature).softmax(1)
