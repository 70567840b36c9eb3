"""The border of targets: the training, the judgement and the decisions of heads for each sort of labels.

`target_of` gives the target of a manifest, `target_of_targets` that of rows, and `target_named` that of a file; no other code asks which target it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from thaw.foundation.errors import BadArtifact

# A registered model reads no manifest, and must not import its libraries; a run of the pipeline takes predictions, and has no need of PyTorch.
if TYPE_CHECKING:
    from torch import Tensor

    from thaw.dataset.manifest import Example, Manifest
    from thaw.foundation.statistics.bootstrap import FloatArray, IntArray, Resampling
    from thaw.targets.label_sets.metrics import LabelSetMetrics
    from thaw.targets.one_label.metrics import ClassScore, Metrics, ReliabilityBin
    from thaw.targets.predictions import Predictions
    from thaw.targets.suspect import Suspect

TargetName = Literal["one_label", "label_sets", "trigger"]
Weighing = Literal["balanced", "none"]
BoolArray = NDArray[np.bool_]

NEITHER = "neither"
"""The label of an example of no known class."""
NEVER = -1
"""The fold of a row that is never held out."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """A calibration: `logits / temperature + shifts` are the logits of honest probabilities. shifts: float32 [C]; None: no shifts."""

    temperature: float
    shifts: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Losses:
    """Sums over held-out rows: the weighted loss and its weights, float64 [K] each (K is 1, or the number of classes), the right decisions and all
    decisions."""

    loss: Tensor
    weight: Tensor
    right: int
    decisions: int

    def __add__(self, other: Losses) -> Losses:
        decisions = self.decisions + other.decisions
        return Losses(self.loss + other.loss, self.weight + other.weight, self.right + other.right, decisions)

    @property
    def log_loss(self) -> float:
        """The weighted mean."""
        return float((self.loss / self.weight).mean())

    @property
    def accuracy(self) -> float:
        """The share of right decisions, before calibration."""
        return self.right / self.decisions


class Target(Protocol):
    """The sort of labels. Targets of N rows are int64 [N], each a class, or bool [N, C], the classes that each row shows.

    words: its name in sentences. exclusive: whether a class excludes the others. labels: of an example, as exports state them. separator: between the names
    of a written set; "" if there is but one name. answers: the columns of a table of answers, beside `known_score` and the probabilities. probabilities_are:
    the relation of the probabilities of a row. headline: the metric of choices, which pages name first. title: of the headline. right: the name of the share
    of wholly right rows. constantly: the answer of `constant`, in words.
    """

    name: ClassVar[TargetName]
    words: ClassVar[str]
    exclusive: ClassVar[bool]
    labels: ClassVar[Literal["one", "sets"]]
    separator: ClassVar[str]
    answers: ClassVar[tuple[str, ...]]
    probabilities_are: ClassVar[str]
    headline: ClassVar[str]
    title: ClassVar[str]
    right: ClassVar[str]
    constantly: ClassVar[str]
    suspected: ClassVar[str]

    def encode(self, rows: Sequence[Example], class_names: Sequence[str]) -> Tensor:
        """The targets of labelled rows, whose labels are all among `class_names`."""

    def share(self, many: str) -> str:
        """The title of an axis of the headline; many: the word for examples."""

    def reached(self, value: str, rows: str) -> str:
        """The part of a sentence with a model's headline on some rows."""

    def would_reach(self, value: str) -> str:
        """The part of a sentence with a baseline's headline."""

    def curve_places(self, classes: int) -> range:
        """The places of the classes with a receiver operating characteristic of their own, out of `classes`."""

    def class_counts(self, targets: Tensor, classes: int) -> Tensor:
        """The number of rows that show each class, int64 [C]."""

    def showing(self, targets: Tensor, place: int) -> Tensor:
        """Whether each row shows the class of that place, bool [N]."""

    def indicators(self, targets: Tensor, classes: int) -> Tensor:
        """1 where a row shows a class, 0 elsewhere: int64 [..., N] or bool [..., N, C] -> float64 [..., N, C]."""

    def alike(self, targets: Tensor) -> Tensor:
        """A number for each row, int64 [N]; rows of the same labels have the same number."""

    def sample(self, targets: Tensor, most: int, seed: int) -> Tensor:
        """About `most` rows, sorted, int64 [M], with at least two rows of each class that has them."""

    def nested(self, targets: Tensor, size: int) -> Tensor:
        """The first `size` rows of each class, int64 [M]; the rows of a size are among those of every larger size."""

    def is_teachable(self, targets: Tensor, classes: int) -> bool:
        """Whether a head can be fitted: some rows show each class, and some do not."""

    def rows_per_class(self, targets: Tensor, classes: int) -> int:
        """The mean number of rows that show a class, rounded down, at least 1."""

    def weights(self, targets: Tensor, class_names: Sequence[str], how: Weighing) -> Tensor:
        """The weights of rows in the loss: float32 [C], or [2, C], without and with the class. `balanced`: all classes weigh the same.

        Raises:
            BadManifest: the rows cannot be learnt: there are fewer than two classes, or a class of all rows or of no row.
        """

    def mean_loss(self, logits: Tensor, targets: Tensor, weights: Tensor | None, smoothing: float = 0.0) -> Tensor:
        """The weighted mean of the log loss, for training; logits float32 [N, C]; weights None: all weigh the same. smoothing: see `summed_loss`."""

    def summed_loss(self, logits: Tensor, targets: Tensor, weights: Tensor, smoothing: float) -> Tensor:
        """The weighted sum of the log loss; targets of mixed rows are float32 [N, C]. smoothing: the share of a label that is spread over all classes."""

    def weight_of(self, targets: Tensor, weights: Tensor) -> float:
        """The sum of the rows' weights in `summed_loss`."""

    def losses(self, logits: Tensor, targets: Tensor, weights: Tensor) -> Losses:
        """The losses of held-out rows, before calibration."""

    def folds(self, targets: Tensor, *, count: int, seed: int, groups: Tensor | None = None) -> Tensor:
        """The fold in which each row is held out, int64 [N], from 0 to `count - 1`, or `NEVER`. Rows of a group (int64 [N]) share a fold."""

    def calibrate(self, logits: Tensor, targets: Tensor) -> Calibration:
        """The calibration of the lowest log loss on held-out rows; logits float32 [N, C]."""

    def uncalibrated(self, weights: Tensor) -> Calibration:
        """The calibration without held-out rows: it undoes the weights of the loss, as far as that is known."""

    def probabilities(self, logits: Tensor) -> Tensor:
        """The probabilities of calibrated logits, float32 [N, C] both."""

    def log_odds(self, logits: Tensor) -> Tensor:
        """log(p / (1 - p)) of the probabilities p of calibrated logits, float32 [N, C] -> float64 [N, C]; it is finite where p is rounded to 1."""

    def decide(self, probabilities: Tensor, targets: Tensor) -> tuple[float, ...] | None:
        """The least probability at which each class is named, tuned on held-out rows; None: the most probable class is named."""

    def undecided(self, classes: int) -> tuple[float, ...] | None:
        """The thresholds without held-out rows."""

    def named(self, probabilities: Tensor, thresholds: tuple[float, ...] | None) -> Tensor:
        """The named classes: float32 [N, C] -> bool [N, C]."""

    def voted(self, votes: Tensor, total: float) -> Tensor:
        """The classes that neighbours name: the weight of those that show each class, float64 [N, C], of `total` -> bool [N, C]."""

    def kept(self, logits: Tensor) -> Tensor:
        """The values that `tally_held_out` needs of held-out logits, float32 [N, C]."""

    def tally_held_out(self, kept: Tensor, targets: Tensor, others: tuple[Tensor, Tensor] | None) -> BoolArray:
        """See `tally`, for held-out rows. others: the kept values of other held-out rows, and their targets, on which the thresholds are tuned; None: there are
        none."""

    def constant(self, targets: Tensor, classes: int) -> Tensor:
        """The best constant answer for every row, from the training rows: bool [C]."""

    def tally(self, named: Tensor, targets: Tensor) -> BoolArray:
        """The summands of each row in the sums of the headline; named: bool [N, C] -> bool [N, K]."""

    def headline_of(self, sums: FloatArray, rows: FloatArray) -> FloatArray:
        """The headline, float64 [R], from the sums of `tally` over rows [K, R] and the numbers of rows [R]."""

    def unsure(self, probabilities: Tensor) -> Tensor:
        """The uncertainty of a head on each row, from 0 to 1: float32 [N, C] -> [N]."""

    def sureness(self, probabilities: Tensor, named: Tensor) -> Tensor:
        """The certainty of the named class, or with sets of the least certain decision: float32 [N, C], bool [N, C] -> [N]."""

    def suspects(self, probabilities: Tensor, targets: Tensor) -> list[Suspect]:
        """The labels that look wrong, the worst first; probabilities: float32 [N, C], by heads that were fitted without the row."""

    def written(self, names: Sequence[str] | None) -> str:
        """A label or a set of labels as text for a table; "" for no label (None)."""

    def parsed(self, text: str) -> tuple[str, ...]:
        """The names in a text of `written`."""

    def answered(
        self, class_names: tuple[str, ...], probabilities: NDArray[np.float32], named: BoolArray
    ) -> dict[str, Sequence[Any] | NDArray[Any]]:
        """The columns `answers`, N values each; probabilities float32 [N, C]; named bool [N, C], with one label no class for an input of no known class."""

    def closed_set(self, probabilities: NDArray[np.float32], named: BoolArray) -> BoolArray:
        """The classes that are named if every input counts as one of a known class, bool [N, C]; see `answered`."""

    def outcomes(self, named: BoolArray, shown: BoolArray) -> BoolArray:
        """The outcomes whose probabilities are `confidences`: bool [N, C] both -> bool [N, K]."""

    def confidences(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """The probabilities that are compared with the truth, [N, C] -> [N, K]: that of the named class, or those of all classes."""

    def class_scores(self, predictions: Predictions) -> tuple[ClassScore, ...]:
        """Precision, recall and F1 of each class, in the order of the names."""

    def matrix(self, predictions: Predictions) -> tuple[IntArray, IntArray]:
        """Two counts, int64 [C, C], with true classes as rows and named classes as columns: of named rows, and of all rows of the cell."""

    def pairs(self, predictions: Predictions) -> list[tuple[int, int]]:
        """Pairs of a true and a named class, each as often as `matrix` counts it."""

    def reliability(self, predictions: Predictions, bins: int) -> tuple[ReliabilityBin, ...]:
        """Probabilities beside shares of right answers, in bins of equal width."""

    def sure_mistakes(self, predictions: Predictions) -> FloatArray:
        """The certainty of the model where it errs, float64 [N]; -1 where it is right."""

    def measure(self, predictions: Predictions, *, bins: int, resampling: Resampling) -> Metrics | LabelSetMetrics:
        """Every metric with its interval, over groups where the rows have some."""


def target_named(name: TargetName) -> Target:
    """The target of that name."""
    match name:
        case "one_label":
            from thaw.targets.one_label.target import ONE_LABEL

            return ONE_LABEL
        case "label_sets":
            from thaw.targets.label_sets.target import LABEL_SETS

            return LABEL_SETS
        case "trigger":
            from thaw.targets.trigger.target import TRIGGER

            return TRIGGER


def target_of(manifest: Manifest) -> Target:
    """The target of a manifest's labels.

    Raises:
        BadArtifact: this version of Thaw does not know the target.
    """
    match manifest.target:
        case "one_label" | "label_sets" | "trigger" as name:
            return target_named(name)
    raise BadArtifact(f"the manifest's target is {manifest.target}, which this version of Thaw does not know")


def target_of_targets(targets: Tensor | np.ndarray[Any, Any]) -> Target:
    """The target of rows, by the form of their targets: [N] or [N, C]; a trigger's are those of label sets."""
    return target_named("label_sets" if targets.ndim == 2 else "one_label")
