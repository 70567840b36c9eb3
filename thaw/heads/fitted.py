"""What a fitted head is: a model on features, its classes, its calibration, how it decides, and what was tried on the way."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from thaw.heads.logistic import LogisticModel
from thaw.heads.mlp import MlpModel
from thaw.heads.neighbours import NeighboursModel
from thaw.params.strategy import HeadKind
from thaw.targets.target import Target, TargetName, target_named

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

    log_loss: weighted by class like the training's loss, before calibration. accuracy: the share of decisions that are right, of all alike: a row's class, or
    whether a row shows a class.
    """

    setting: Setting
    log_loss: float | None
    accuracy: float | None
    chosen: bool


@dataclass(frozen=True, eq=False)
class FittedHead:
    """A head, ready for use. Class i is `class_names[i]`.

    shifts: float32 [C], of the calibrated logits; None: there are none. thresholds: from which probability on each class is named; None: the most probable is.
    """

    model: Model
    class_names: tuple[str, ...]
    temperature: float
    trials: tuple[Trial, ...]
    target_name: TargetName = "one_label"
    shifts: Tensor | None = None
    thresholds: tuple[float, ...] | None = None

    @property
    def kind(self) -> HeadKind:
        """`linear`, `mlp` or `knn`."""
        return self.model.kind

    @property
    def target(self) -> Target:
        """What its classes are of each other: exclusive, or a yes or no each."""
        return target_named(self.target_name)

    def logits(self, features: Tensor) -> Tensor:
        """Uncalibrated: float32 [N, D] -> float32 [N, C]."""
        return self.model.logits(features)

    def calibrated(self, logits: Tensor) -> Tensor:
        """The logits of honest probabilities: float32 [N, C] both."""
        scaled = logits / self.temperature
        return scaled if self.shifts is None else scaled + self.shifts

    def probabilities(self, features: Tensor) -> Tensor:
        """Calibrated: float32 [N, D] -> float32 [N, C]; each row of sum 1, or each class by itself."""
        return self.target.probabilities(self.calibrated(self.logits(features)))

    def named(self, probabilities: Tensor) -> Tensor:
        """Which classes are named: float32 [N, C] -> bool [N, C]."""
        return self.target.named(probabilities, self.thresholds)


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What a model says of rows that it was not trained on: logits float32 [N, C], and their targets."""

    logits: Tensor
    targets: Tensor


def finish_head(
    model: Model,
    class_names: tuple[str, ...],
    target: Target,
    *,
    weights: Tensor,
    held_out: HeldOut | None,
    trials: Sequence[Trial],
) -> FittedHead:
    """Calibrate a model on what it says of held-out rows, and tune what it names; None: there were no such rows. weights: those of the training's loss."""
    calibration = target.uncalibrated(weights)
    if held_out is not None:
        calibration = target.calibrate(held_out.logits, held_out.targets)
    head = FittedHead(
        model=model,
        class_names=class_names,
        temperature=calibration.temperature,
        trials=tuple(trials),
        target_name=target.name,
        shifts=calibration.shifts,
        thresholds=target.undecided(len(class_names)),
    )
    if held_out is None:
        return head
    probabilities = target.probabilities(head.calibrated(held_out.logits))
    return replace(head, thresholds=target.decide(probabilities, held_out.targets))
