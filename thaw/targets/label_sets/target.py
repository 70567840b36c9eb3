"""A set of labels as a target: each class is a yes or no by itself, and is named if its probability reaches its own threshold."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from thaw.dataset.label_sets import SEPARATOR, join_labels, split_labels
from thaw.foundation.errors import BadManifest
from thaw.targets.label_sets.calibration import fit_calibration
from thaw.targets.label_sets.folds import assign_folds
from thaw.targets.label_sets.samples import first_of_each_class, sample_rows
from thaw.targets.label_sets.thresholds import UNTUNED, tune_thresholds
from thaw.targets.target import BoolArray, Calibration, Losses, TargetName, Weighing

if TYPE_CHECKING:  # a registered model reads no manifest, and must not need what does
    from thaw.dataset.manifest import Example
    from thaw.foundation.statistics.bootstrap import FloatArray, IntArray, Resampling
    from thaw.targets.label_sets.metrics import LabelSetMetrics
    from thaw.targets.one_label.metrics import ClassScore, ReliabilityBin
    from thaw.targets.predictions import Predictions
    from thaw.targets.suspect import Suspect


@dataclass(frozen=True)
class LabelSets:
    """See `thaw.targets.target.Target`. Targets are bool [N, C], weights float32 [2, C]: of a row without the class, and of one with it."""

    name: ClassVar[TargetName] = "label_sets"
    words: ClassVar[str] = "sets of labels"
    exclusive: ClassVar[bool] = False
    labels: ClassVar[Literal["one", "sets"]] = "sets"
    separator: ClassVar[str] = SEPARATOR
    answers: ClassVar[tuple[str, ...]] = ("labels",)
    probabilities_are: ClassVar[str] = "each class by itself"
    headline: ClassVar[str] = "macro_f1"
    title: ClassVar[str] = "macro F1"
    right: ClassVar[str] = "exact match"
    constantly: ClassVar[str] = "every label"
    suspected: ClassVar[str] = (
        "The features of these {many} are typical of another class than their label, by heads that never saw the label."
    )

    def encode(self, rows: "Sequence[Example]", class_names: Sequence[str]) -> Tensor:
        """Which classes each row shows, bool [N, C]."""
        shown = [[name in (row.labels or ()) for name in class_names] for row in rows]
        return torch.tensor(shown, dtype=torch.bool).view(len(rows), len(class_names))

    def share(self, many: str) -> str:  # the border's
        """Macro F1."""
        return self.title

    def reached(self, value: str, rows: str) -> str:
        """See the border."""
        return f"reaches a macro F1 of {value} on {rows}"

    def would_reach(self, value: str) -> str:
        """See the border."""
        return f"reach {value}"

    def curve_places(self, classes: int) -> range:
        """All of them."""
        return range(classes)

    def class_counts(self, targets: Tensor, classes: int) -> Tensor:
        """See the border."""
        counts: Tensor = targets.sum(0)
        return counts

    def showing(self, targets: Tensor, place: int) -> Tensor:
        """See the border."""
        rows: Tensor = targets[:, place]
        return rows

    def indicators(self, targets: Tensor, classes: int) -> Tensor:
        """The targets themselves."""
        return targets.double()

    def alike(self, targets: Tensor) -> Tensor:
        """A number for each set."""
        numbers: Tensor = torch.unique(targets, dim=0, return_inverse=True)[1]
        return numbers

    def sample(self, targets: Tensor, most: int, seed: int) -> Tensor:
        """Any rows, and two more of a class that they lack."""
        return sample_rows(targets, most, seed)

    def nested(self, targets: Tensor, size: int) -> Tensor:
        """The first rows that show each class, and as many that show none; a row is there for all that it shows."""
        return first_of_each_class(targets, size)

    def is_teachable(self, targets: Tensor, classes: int) -> bool:
        """See the border."""
        shown = targets.sum(0)
        return classes > 1 and bool(((shown > 0) & (shown < len(targets))).all())

    def rows_per_class(self, targets: Tensor, classes: int) -> int:
        """See the border."""
        return max(1, int(targets.sum()) // classes)

    def weights(self, targets: Tensor, class_names: Sequence[str], how: Weighing) -> Tensor:
        """float32 [2, C]; the weights of all training rows have the mean 1 in each class.

        Raises:
            BadManifest: fewer than two classes, or one that all rows show, or none.
        """
        shown = targets.sum(0)
        counts = torch.stack([len(targets) - shown, shown])
        empty = [name for name, smallest in zip(class_names, counts.amin(0).tolist(), strict=True) if not smallest]
        if empty or len(class_names) < 2:
            given = f"not of {', '.join(map(repr, empty))}" if empty else f"only {tuple(class_names)!r}"
            raise BadManifest(
                "a head for label sets needs two classes or more, each shown by some training rows and not by others, "
                f"and there are {given}; add some to train"
            )
        if how == "none":
            return torch.ones(counts.shape)
        return len(targets) / (2 * counts).float()

    def mean_loss(self, logits: Tensor, targets: Tensor, weights: Tensor | None, smoothing: float = 0.0) -> Tensor:
        """The mean over rows and classes; of few rows the weights need not have the mean 1."""
        even = torch.ones(2, logits.shape[-1], device=logits.device) if weights is None else weights
        return _decision_losses(logits, targets.float(), even, smoothing).mean()

    def summed_loss(self, logits: Tensor, targets: Tensor, weights: Tensor, smoothing: float) -> Tensor:
        """The sum over rows of the mean over classes; smoothing takes each decision so much nearer to one half."""
        return _decision_losses(logits, targets.float(), weights, smoothing).mean(1).sum()

    def weight_of(self, targets: Tensor, weights: Tensor) -> float:  # the border's
        """One a row: the weights of all training rows have the mean 1."""
        return float(len(targets))

    def losses(self, logits: Tensor, targets: Tensor, weights: Tensor) -> Losses:
        """See the border; K is the number of classes, and a decision is of a row and a class, at a probability of one half."""
        loss = _decision_losses(logits, targets.float(), weights).double().sum(0)
        weight = torch.where(targets, weights[1], weights[0]).double().sum(0)
        return Losses(loss, weight, int(((logits > 0) == targets).sum()), targets.numel())

    def folds(self, targets: Tensor, *, count: int, seed: int, groups: Tensor | None = None) -> Tensor:
        """See the border."""
        return assign_folds(targets, folds=count, seed=seed, groups=groups)

    def calibrate(self, logits: Tensor, targets: Tensor) -> Calibration:
        """One temperature, and a shift for each class."""
        return fit_calibration(logits, targets)

    def uncalibrated(self, weights: Tensor) -> Calibration:
        """Minus the logit that the weights of the loss add to each class: the log of the ratio of the weights of a row with the class and of one without.

        Source: King and Zeng, "Logistic regression in rare events data", Political Analysis 2001 (prior correction).
        """
        return Calibration(1.0, -(weights[1] / weights[0]).log())

    def probabilities(self, logits: Tensor) -> Tensor:
        """Each class by itself."""
        return logits.sigmoid()

    def log_odds(self, logits: Tensor) -> Tensor:
        """The logits themselves."""
        return logits.double()

    def decide(self, probabilities: Tensor, targets: Tensor) -> tuple[float, ...]:
        """The thresholds of the best F1."""
        return tune_thresholds(probabilities, targets)

    def undecided(self, classes: int) -> tuple[float, ...]:
        """One half."""
        return (UNTUNED,) * classes

    def named(self, probabilities: Tensor, thresholds: tuple[float, ...] | None) -> Tensor:
        """The classes whose probability reaches their threshold."""
        return probabilities >= torch.tensor(thresholds, dtype=probabilities.dtype)

    def voted(self, votes: Tensor, total: float) -> Tensor:
        """The classes that half of them show, or more."""
        return votes >= total / 2

    def kept(self, logits: Tensor) -> Tensor:
        """The logits, because the named classes depend on thresholds that are tuned later."""
        return logits

    def tally_held_out(self, kept: Tensor, targets: Tensor, others: tuple[Tensor, Tensor] | None) -> BoolArray:
        """The classes that reach the thresholds of the best F1 on the other rows, or one half."""
        thresholds = self.undecided(kept.shape[1])
        if others is not None:
            thresholds = self.decide(others[0].double().sigmoid(), others[1])
        return self.tally(self.named(kept.double().sigmoid(), thresholds), targets)

    def constant(self, targets: Tensor, classes: int) -> Tensor:
        """Every class, which is the constant answer of the best F1."""
        return torch.ones(classes, dtype=torch.bool)

    def tally(self, named: Tensor, targets: Tensor) -> BoolArray:
        """Of each class, one after the other: rightly named, shown, named; bool [N, 3 C].

        F1 is made of sums over all folds, and is no mean over folds: Forman and Scholz, "Apples-to-apples in cross-validation studies", SIGKDD
        Explorations 2010.
        """
        return np.asarray(torch.cat([named & targets, targets, named], 1).numpy(), np.bool_)

    def headline_of(self, sums: "FloatArray", rows: "FloatArray") -> "FloatArray":  # the border's
        """Macro F1."""
        from thaw.targets.label_sets.metrics import macro_f1_of_sets

        right, shown, named = np.split(sums, 3)
        return macro_f1_of_sets(right, shown, named)

    def unsure(self, probabilities: Tensor) -> Tensor:
        """1 minus twice the probabilities' distance from one half, the mean over classes."""
        return 1 - (2 * probabilities - 1).abs().mean(1)

    def sureness(self, probabilities: Tensor, named: Tensor) -> Tensor:
        """The probability of the decision that is least sure."""
        return torch.where(named, probabilities, 1 - probabilities).amin(1)

    def suspects(self, probabilities: Tensor, targets: Tensor) -> "list[Suspect]":
        """See `thaw.targets.label_sets.suspects`."""
        from thaw.targets.label_sets.suspects import find_suspects

        return find_suspects(probabilities, targets)

    def written(self, names: Sequence[str] | None) -> str:
        """`ant|bee`; `|` for none."""
        return "" if names is None else join_labels(names)

    def parsed(self, text: str) -> tuple[str, ...]:
        """See `thaw.dataset.label_sets`."""
        return split_labels(text)

    def answered(
        self, class_names: tuple[str, ...], probabilities: NDArray[np.float32], named: BoolArray
    ) -> "dict[str, Sequence[Any] | NDArray[Any]]":
        """The names, in the order of the classes: a list for each row, which may be empty."""
        return {"labels": [[class_names[place] for place in np.flatnonzero(row)] for row in named]}

    def closed_set(self, probabilities: NDArray[np.float32], named: BoolArray) -> BoolArray:
        """The named classes."""
        return named

    def outcomes(self, named: BoolArray, shown: BoolArray) -> BoolArray:
        """Whether each class is shown, [N, C]."""
        return shown

    def confidences(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """Those of all classes."""
        return probabilities

    def class_scores(self, predictions: "Predictions") -> "tuple[ClassScore, ...]":
        """With average precision; see `thaw.targets.label_sets.metrics.label_scores`."""
        from thaw.targets.label_sets.metrics import label_scores

        named, shown = predictions.named, predictions.shown
        return label_scores(predictions.probabilities, named, shown, predictions.class_names)

    def matrix(self, predictions: "Predictions") -> "tuple[IntArray, IntArray]":
        """See `thaw.targets.label_sets.metrics.beside`."""
        from thaw.targets.label_sets.metrics import beside

        return beside(predictions.named, predictions.shown)

    def pairs(self, predictions: "Predictions") -> list[tuple[int, int]]:
        """Cell after cell of the matrix."""
        counts = self.matrix(predictions)[0]
        return [cell for cell in np.ndindex(counts.shape) for _ in range(counts[cell])]

    def reliability(self, predictions: "Predictions", bins: int) -> "tuple[ReliabilityBin, ...]":
        """Over all decisions, of a row and a class."""
        from thaw.targets.label_sets.metrics import reliability_of_sets

        return reliability_of_sets(predictions.probabilities, predictions.shown, bins)

    def sure_mistakes(self, predictions: "Predictions") -> "FloatArray":
        """The probability of the surest wrong decision."""
        shares, named = predictions.probabilities.astype(np.float64), predictions.named
        sure = np.where(named != predictions.shown, np.where(named, shares, 1 - shares), -1.0)
        return np.asarray(sure.max(1), np.float64)

    def measure(self, predictions: "Predictions", *, bins: int, resampling: "Resampling") -> "LabelSetMetrics":
        """See `thaw.targets.label_sets.metrics.measure_sets`."""
        from thaw.targets.label_sets.metrics import measure_sets

        named, shown = predictions.named, predictions.shown
        return measure_sets(
            predictions.probabilities, named, shown, bins=bins, resampling=resampling, groups=predictions.groups
        )


LABEL_SETS = LabelSets()


def _decision_losses(logits: Tensor, shown: Tensor, weights: Tensor, smoothing: float = 0.0) -> Tensor:
    """The weighted log loss of each decision: float [N, C]; shown: float32 [N, C], 0 or 1, or between them where rows were mixed."""
    weight = torch.lerp(weights[0], weights[1], shown)
    wanted = shown * (1 - smoothing) + smoothing / 2 if smoothing else shown
    return F.binary_cross_entropy_with_logits(logits, wanted, weight, reduction="none")
