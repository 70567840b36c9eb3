"""A fitted head: a model on features, its classes, its calibration, its decisions, and the trials of its choice."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from thaw.heads.bags import BagModel
from thaw.heads.logistic import LogisticModel
from thaw.heads.mlp import MlpModel
from thaw.heads.neighbours import NeighboursModel
from thaw.params.values.strategy import HeadKind
from thaw.targets.target import Target, TargetName, target_named

FeatureModel = LogisticModel | NeighboursModel | MlpModel
Model = FeatureModel | BagModel


@dataclass(frozen=True)
class Setting:
    """One setting of a trial; None where the kind of head has no such setting."""

    l2: float | None = None
    neighbours: int | None = None
    epochs: int | None = None

    def __str__(self) -> str:
        named = (("l2", self.l2), ("neighbours", self.neighbours), ("epochs", self.epochs))
        return ", ".join(f"{name} {value:g}" for name, value in named if value is not None)


@dataclass(frozen=True)
class Trial:
    """A setting and its results on held-out rows; None if there were no such rows.

    log_loss: weighted by class like the loss of the training, before calibration. accuracy: the unweighted share of right decisions; a decision is a row's
    class or, with label sets, whether a row shows a class.
    """

    setting: Setting
    log_loss: float | None
    accuracy: float | None
    chosen: bool


@dataclass(frozen=True, eq=False)
class FittedHead:
    """A head, ready for use. Class i is `class_names[i]`.

    shifts: float32 [C], of the calibrated logits; None: no shifts. thresholds: the least probability at which each class is named; None: the most probable
    class is named.
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
    def on_features(self) -> FeatureModel:
        """The model of a head that is stored and deployed; one on bags is deployed as `thaw.models.prediction.plain` says."""
        assert not isinstance(self.model, BagModel)
        return self.model

    @property
    def target(self) -> Target:
        """The target that the head was fitted for."""
        return target_named(self.target_name)

    def logits(self, features: Tensor) -> Tensor:
        """Uncalibrated logits: float32 [N, D] -> float32 [N, C]."""
        return self.model.logits(features)

    def calibrated(self, logits: Tensor) -> Tensor:
        """Calibrated logits: float32 [N, C] -> float32 [N, C]."""
        scaled = logits / self.temperature
        return scaled if self.shifts is None else scaled + self.shifts

    def probabilities(self, features: Tensor) -> Tensor:
        """Calibrated probabilities: float32 [N, D] -> float32 [N, C]; the rows sum to 1 if the classes exclude each other."""
        return self.target.probabilities(self.calibrated(self.logits(features)))

    def log_odds(self, features: Tensor) -> Tensor:
        """Calibrated log-odds of each class: float32 [N, D] -> float64 [N, C]."""
        return self.target.log_odds(self.calibrated(self.logits(features)))

    def named(self, probabilities: Tensor) -> Tensor:
        """The named classes: float32 [N, C] -> bool [N, C]."""
        return self.target.named(probabilities, self.thresholds)


@dataclass(frozen=True, eq=False)
class HeldOut:
    """A model's logits for rows that it was not trained on, float32 [N, C], and the rows' targets."""

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
    """Calibrate a model on its logits for held-out rows, and tune its thresholds; None: there were no such rows. weights: of the loss of the training."""
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
