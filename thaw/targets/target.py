"""The border behind which labels are of one sort or another: what a head is trained on, judged by and decides, for each sort.

Whoever needs to know asks `target_of` a manifest, `target_of_targets` rows, or `target_named` a file; nothing else asks which target it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

if TYPE_CHECKING:  # a registered model reads no manifest, and must not need what does
    from thaw.dataset.manifest import Example, Manifest
    from thaw.foundation.statistics.bootstrap import FloatArray, IntArray, Resampling
    from thaw.targets.label_sets.metrics import LabelSetMetrics
    from thaw.targets.one_label.metrics import ClassScore, Metrics, ReliabilityBin
    from thaw.targets.predictions import Predictions
    from thaw.targets.suspect import Suspect

TargetName = Literal["one_label", "label_sets"]
Weighing = Literal["balanced", "none"]
BoolArray = NDArray[np.bool_]

NEVER = -1
"""The fold of a row that is never held out."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """`logits / temperature + shifts` are the logits of honest probabilities; shifts: float32 [C], None: there are none."""

    temperature: float
    shifts: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Losses:
    """Sums over held-out rows: the weighted loss and its weights, float64 [K] each (K is 1, or the number of classes); decisions that were right, and all."""

    loss: Tensor
    weight: Tensor
    right: int
    decisions: int

    def __add__(self, other: "Losses") -> "Losses":
        decisions = self.decisions + other.decisions
        return Losses(self.loss + other.loss, self.weight + other.weight, self.right + other.right, decisions)

    @property
    def log_loss(self) -> float:
        """The weighted mean."""
        return float((self.loss / self.weight).mean())

    @property
    def accuracy(self) -> float:
        """The share of decisions that were right, before calibration."""
        return self.right / self.decisions


class Target(Protocol):
    """What a label is. Targets of N rows are int64 [N], each a class, or bool [N, C], the classes that each row shows.

    words: how a sentence calls it. exclusive: whether a class excludes the others. headline: the metric that a page names first, and that choices are made by;
    title: what it is called. right: what the share of rows that are wholly right is called. constantly: what `constant` names, in words.
    """

    name: ClassVar[TargetName]
    words: ClassVar[str]
    exclusive: ClassVar[bool]
    headline: ClassVar[str]
    title: ClassVar[str]
    right: ClassVar[str]
    constantly: ClassVar[str]

    def encode(self, rows: "Sequence[Example]", class_names: Sequence[str]) -> Tensor:
        """The targets of labelled rows, whose labels are all among `class_names`."""

    def share(self, many: str) -> str:
        """What an axis of the headline is called; many: what examples are called."""

    def reached(self, value: str, rows: str) -> str:
        """How a sentence about a model says its headline on some rows."""

    def would_reach(self, value: str) -> str:
        """The same of what a baseline would do."""

    def class_counts(self, targets: Tensor, classes: int) -> Tensor:
        """How many rows show each class, int64 [C]."""

    def showing(self, targets: Tensor, place: int) -> Tensor:
        """Which rows show the class of that place, bool [N]."""

    def indicators(self, targets: Tensor, classes: int) -> Tensor:
        """1 where a row shows a class, 0 elsewhere: int64 [..., N] or bool [..., N, C] -> float64 [..., N, C]."""

    def alike(self, targets: Tensor) -> Tensor:
        """A number for each row, int64 [N]: rows of the same labels have the same."""

    def sample(self, targets: Tensor, most: int, seed: int) -> Tensor:
        """At most about `most` rows, sorted, int64 [M], with two of each class at least where there are so many."""

    def nested(self, targets: Tensor, size: int) -> Tensor:
        """The first `size` rows of each class, int64 [M]: those of a size are among those of every larger one."""

    def is_teachable(self, targets: Tensor, classes: int) -> bool:
        """Whether a head can be fitted: each class is shown by some rows, and not by all."""

    def rows_per_class(self, targets: Tensor, classes: int) -> int:
        """How many rows show a class on average, rounded down; at least 1."""

    def weights(self, targets: Tensor, class_names: Sequence[str], how: Weighing) -> Tensor:
        """What rows weigh in the loss: float32 [C], or [2, C], without and with the class. `balanced`: each class weighs the same.

        Raises:
            BadManifest: the rows cannot be told apart: fewer than two classes, or a class of all rows or of none.
        """

    def mean_loss(self, logits: Tensor, targets: Tensor, weights: Tensor | None, smoothing: float = 0.0) -> Tensor:
        """The weighted mean of the log loss, to train by; logits float32 [N, C]; weights None: all weigh the same. smoothing: see `summed_loss`."""

    def summed_loss(self, logits: Tensor, targets: Tensor, weights: Tensor, smoothing: float) -> Tensor:
        """The weighted sum of the log loss; targets may also be float32 [N, C], of rows that were mixed. smoothing: the share of a label that is spread."""

    def weight_of(self, targets: Tensor, weights: Tensor) -> float:
        """What the rows weigh together in `summed_loss`."""

    def losses(self, logits: Tensor, targets: Tensor, weights: Tensor) -> Losses:
        """What held-out rows come to, before calibration."""

    def folds(self, targets: Tensor, *, count: int, seed: int, groups: Tensor | None = None) -> Tensor:
        """The fold in which each row is held out, int64 [N], from 0 to `count - 1`, or `NEVER`. Rows of a group (int64 [N]) share one."""

    def calibrate(self, logits: Tensor, targets: Tensor) -> Calibration:
        """The calibration of the lowest log loss on held-out rows; logits float32 [N, C]."""

    def uncalibrated(self, weights: Tensor) -> Calibration:
        """Where nothing was held out: what undoes the weights of the loss, as far as that is known."""

    def probabilities(self, logits: Tensor) -> Tensor:
        """Of calibrated logits, float32 [N, C] both."""

    def decide(self, probabilities: Tensor, targets: Tensor) -> tuple[float, ...] | None:
        """From which probability on each class is named, tuned on held-out rows; None: the most probable class is."""

    def undecided(self, classes: int) -> tuple[float, ...] | None:
        """The same where nothing was held out."""

    def named(self, probabilities: Tensor, thresholds: tuple[float, ...] | None) -> Tensor:
        """The classes that are named: float32 [N, C] -> bool [N, C]."""

    def voted(self, votes: Tensor, total: float) -> Tensor:
        """The classes that neighbours name: float64 [N, C], the weight of those that show each class, of `total` -> bool [N, C]."""

    def kept(self, logits: Tensor) -> Tensor:
        """What `tally_held_out` needs of held-out logits, float32 [N, C]."""

    def tally_held_out(self, kept: Tensor, targets: Tensor, others: tuple[Tensor, Tensor] | None) -> "BoolArray":
        """See `tally`: of rows that were held out. others: what was kept of other held-out rows, and their targets: what is named is tuned on them; None: there
        are none."""

    def constant(self, targets: Tensor, classes: int) -> Tensor:
        """What a model without eyes names best of every row, from what the training rows show: bool [C]."""

    def tally(self, named: Tensor, targets: Tensor) -> "BoolArray":
        """What each row adds to the sums that the headline is made of; named: bool [N, C] -> bool [N, K]."""

    def headline_of(self, sums: "FloatArray", rows: "FloatArray") -> "FloatArray":
        """The headline, from the sums of `tally` over rows [K, R], and how many rows those were [R]: float64 [R]."""

    def unsure(self, probabilities: Tensor) -> Tensor:
        """How unsure a head is of each row, from 0 to 1: float32 [N, C] -> [N]."""

    def sureness(self, probabilities: Tensor, named: Tensor) -> Tensor:
        """How sure it is of what it names, of sets of the decision that it is least sure of: float32 [N, C], bool [N, C] -> [N]."""

    def suspects(self, probabilities: Tensor, targets: Tensor) -> "list[Suspect]":
        """The labels that look wrong, the worst first; probabilities: float32 [N, C], by heads that were fitted without the row."""

    def written(self, names: Sequence[str] | None) -> str:
        """A label, or a set of them, as a table has it; "" where there is none (None)."""

    def parsed(self, text: str) -> tuple[str, ...]:
        """The names in what `written` wrote."""

    def confidences(self, probabilities: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """The probabilities that the truth is held against, [N, C] -> [N, K]: that of the named class, or those of all classes."""

    def class_scores(self, predictions: "Predictions") -> "tuple[ClassScore, ...]":
        """Precision, recall and F1 of each class, in the order of the names."""

    def matrix(self, predictions: "Predictions") -> "tuple[IntArray, IntArray]":
        """What is named where, counts int64 [C, C], the class that is shown in rows and the one that is named in columns; and of how many rows."""

    def reliability(self, predictions: "Predictions", bins: int) -> "tuple[ReliabilityBin, ...]":
        """Probabilities beside what is right, in bins of equal width."""

    def sure_mistakes(self, predictions: "Predictions") -> "FloatArray":
        """How sure the model is where it errs, float64 [N]; -1 where it is right."""

    def measure(
        self, predictions: "Predictions", *, bins: int, resampling: "Resampling"
    ) -> "Metrics | LabelSetMetrics":
        """Every metric with its interval."""


def target_named(name: TargetName) -> Target:
    """The target of that name."""
    match name:
        case "one_label":
            from thaw.targets.one_label.target import ONE_LABEL

            return ONE_LABEL
        case "label_sets":
            from thaw.targets.label_sets.target import LABEL_SETS

            return LABEL_SETS


def target_of(manifest: "Manifest") -> Target:
    """The target of a manifest's labels."""
    return target_named("label_sets" if manifest.multilabel else "one_label")


def target_of_targets(targets: "Tensor | np.ndarray[Any, Any]") -> Target:
    """The target of rows, by the form of their targets: [N] or [N, C]."""
    return target_named("label_sets" if targets.ndim == 2 else "one_label")
