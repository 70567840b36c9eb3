"""One label as a target: a class excludes the others, and the most probable one is named."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from thaw.foundation.errors import BadManifest
from thaw.targets.one_label.folds import assign_folds
from thaw.targets.one_label.samples import first_of_each_class, sample_rows
from thaw.targets.one_label.temperature import fit_temperature
from thaw.targets.target import NEITHER, BoolArray, Calibration, Losses, TargetName, Weighing

if TYPE_CHECKING:  # a registered model reads no manifest, and must not need what does
    from thaw.dataset.manifest import Example
    from thaw.foundation.statistics.bootstrap import FloatArray, IntArray, Resampling
    from thaw.targets.one_label.metrics import ClassScore, Metrics, ReliabilityBin
    from thaw.targets.predictions import Predictions
    from thaw.targets.suspect import Suspect


@dataclass(frozen=True)
class OneLabel:
    """See `thaw.targets.target.Target`. Targets are int64 [N], weights float32 [C]."""

    name: ClassVar[TargetName] = "one_label"
    words: ClassVar[str] = "one label an example"
    exclusive: ClassVar[bool] = True
    labels: ClassVar[Literal["one", "sets"]] = "one"
    separator: ClassVar[str] = ""
    answers: ClassVar[tuple[str, ...]] = ("label", "confidence")
    probabilities_are: ClassVar[str] = "of sum 1"
    headline: ClassVar[str] = "accuracy"
    title: ClassVar[str] = "accuracy"
    right: ClassVar[str] = "accuracy"
    constantly: ClassVar[str] = "the most frequent class"
    suspected: ClassVar[str] = (
        "The features of these {many} are typical of another class than their label, by heads that never saw the label."
    )

    def encode(self, rows: "Sequence[Example]", class_names: Sequence[str]) -> Tensor:
        """int64 [N], indices into `class_names`."""
        number = {name: place for place, name in enumerate(class_names)}
        return torch.tensor([number[str(row.label)] for row in rows], dtype=torch.int64)

    def share(self, many: str) -> str:
        """The share of examples that are right."""
        return f"{many} that are right"

    def reached(self, value: str, rows: str) -> str:
        """See the border."""
        return f"is right on {value} of {rows}"

    def would_reach(self, value: str) -> str:
        """See the border."""
        return f"be right on {value}"

    def curve_places(self, classes: int) -> range:
        """Of two classes the last, since the other's is its mirror; of more none."""
        return range(1, 2) if classes == 2 else range(0)

    def class_counts(self, targets: Tensor, classes: int) -> Tensor:
        """See the border."""
        return targets.bincount(minlength=classes)

    def showing(self, targets: Tensor, place: int) -> Tensor:
        """See the border."""
        return targets == place

    def indicators(self, targets: Tensor, classes: int) -> Tensor:
        """See the border."""
        return F.one_hot(targets, classes).double()

    def alike(self, targets: Tensor) -> Tensor:
        """The class."""
        return targets

    def sample(self, targets: Tensor, most: int, seed: int) -> Tensor:
        """Each class by its share, and two of each at least."""
        return sample_rows(targets, most, seed)

    def nested(self, targets: Tensor, size: int) -> Tensor:
        """See the border."""
        return first_of_each_class(targets, size)

    def is_teachable(self, targets: Tensor, classes: int) -> bool:
        """See the border."""
        return classes > 1 and bool(targets.bincount(minlength=classes).all())

    def rows_per_class(self, targets: Tensor, classes: int) -> int:
        """See the border."""
        return max(1, len(targets) // classes)

    def weights(self, targets: Tensor, class_names: Sequence[str], how: Weighing) -> Tensor:
        """The weight of a row of each class in the loss, float32 [C].

        Raises:
            BadManifest: fewer than two classes, or a class without rows.
        """
        counts = targets.bincount(minlength=len(class_names))
        empty = [name for name, count in zip(class_names, counts.tolist(), strict=True) if not count]
        if empty or len(counts) < 2:
            given = f"none of {', '.join(map(repr, empty))}" if empty else f"only rows of {tuple(class_names)}"
            raise BadManifest(
                f"a head needs training rows of two classes or more, and there are {given}; add some to train"
            )
        if how == "none":
            return torch.ones(len(counts))
        return (len(targets) / (len(counts) * counts)).float()

    def mean_loss(self, logits: Tensor, targets: Tensor, weights: Tensor | None, smoothing: float = 0.0) -> Tensor:
        """See the border."""
        return F.cross_entropy(logits, targets, weight=weights, label_smoothing=smoothing)

    def summed_loss(self, logits: Tensor, targets: Tensor, weights: Tensor, smoothing: float) -> Tensor:
        """See the border."""
        return F.cross_entropy(logits, targets, weight=weights, label_smoothing=smoothing, reduction="sum")

    def weight_of(self, targets: Tensor, weights: Tensor) -> float:
        """See the border; mixed rows weigh one each, as in torch's own mean."""
        return float(len(targets)) if targets.is_floating_point() else float(weights[targets].sum())

    def losses(self, logits: Tensor, targets: Tensor, weights: Tensor) -> Losses:
        """See the border; K is 1."""
        loss = F.cross_entropy(logits, targets, weight=weights, reduction="sum")
        right = int((logits.argmax(1) == targets).sum())
        return Losses(loss.double()[None], weights[targets].sum().double()[None], right, len(targets))

    def folds(self, targets: Tensor, *, count: int, seed: int, groups: Tensor | None = None) -> Tensor:
        """See the border."""
        return assign_folds(targets, folds=count, seed=seed, groups=groups)

    def calibrate(self, logits: Tensor, targets: Tensor) -> Calibration:
        """A temperature."""
        return Calibration(fit_temperature(logits, targets))

    def uncalibrated(self, weights: Tensor) -> Calibration:  # the border's
        """The unchanged logits."""
        return Calibration(1.0)

    def probabilities(self, logits: Tensor) -> Tensor:
        """Each row of sum 1."""
        return logits.softmax(1)

    def log_odds(self, logits: Tensor) -> Tensor:
        """Each logit against all others."""
        exact = logits.double()
        top = exact.argmax(1, keepdim=True)
        # Only the largest probability can be rounded to 1, so the others' sum is computed without it.
        others = exact.scatter(1, top, -torch.inf).logsumexp(1, keepdim=True)
        below = exact - exact.logsumexp(1, keepdim=True)
        rest = below - torch.log1p(-below.exp())
        return rest.scatter(1, top, exact.gather(1, top) - others)

    def decide(self, probabilities: Tensor, targets: Tensor) -> None:
        """The most probable class is named."""

    def undecided(self, classes: int) -> None:
        """The most probable class is named."""

    def named(self, probabilities: Tensor, thresholds: tuple[float, ...] | None) -> Tensor:  # the border's
        """The most probable class of each row, the first of equal ones."""
        return F.one_hot(probabilities.argmax(1), probabilities.shape[1]).bool()

    def voted(self, votes: Tensor, total: float) -> Tensor:  # the border's
        """The class of the most votes, the first of equal ones."""
        return F.one_hot(votes.argmax(1), votes.shape[1]).bool()

    def kept(self, logits: Tensor) -> Tensor:
        """The most probable class of each row, int64 [N]."""
        return logits.argmax(1)

    def tally_held_out(self, kept: Tensor, targets: Tensor, others: tuple[Tensor, Tensor] | None) -> BoolArray:
        """Whether the row is right, bool [N, 1]; nothing is tuned."""
        return np.asarray((kept == targets).numpy()[:, None], np.bool_)

    def constant(self, targets: Tensor, classes: int) -> Tensor:
        """The most frequent class, the first of equal ones."""
        return F.one_hot(targets.bincount(minlength=classes).argmax(), classes).bool()

    def tally(self, named: Tensor, targets: Tensor) -> BoolArray:
        """Whether the row is right, bool [N, 1]."""
        return np.asarray(named.gather(1, targets[:, None]).numpy(), np.bool_)

    def headline_of(self, sums: "FloatArray", rows: "FloatArray") -> "FloatArray":
        """The accuracy."""
        return np.asarray(sums[0] / rows, np.float64)

    def unsure(self, probabilities: Tensor) -> Tensor:
        """1 minus the margin between the two likeliest classes."""
        highest = probabilities.topk(2, dim=1).values
        return 1 - (highest[:, 0] - highest[:, 1])

    def sureness(self, probabilities: Tensor, named: Tensor) -> Tensor:  # the border's
        """The probability of the likeliest class."""
        return probabilities.amax(1)

    def suspects(self, probabilities: Tensor, targets: Tensor) -> "list[Suspect]":
        """See `thaw.targets.one_label.suspects`."""
        from thaw.targets.one_label.suspects import find_suspects

        return find_suspects(probabilities, targets)

    def written(self, names: Sequence[str] | None) -> str:
        """The one name."""
        return "" if names is None else names[0]

    def parsed(self, text: str) -> tuple[str, ...]:
        """The one name."""
        return (text,)

    def answered(
        self, class_names: tuple[str, ...], probabilities: NDArray[np.float32], named: BoolArray
    ) -> "dict[str, Sequence[Any] | NDArray[Any]]":
        """The label, object [N], and the probability of the most probable class, float32 [N]."""
        names = np.array(class_names, dtype=object)
        labels = np.where(named.any(1), names[probabilities.argmax(1)], NEITHER)
        return {"label": labels, "confidence": np.asarray(probabilities.max(1, initial=0), np.float32)}

    def closed_set(self, probabilities: NDArray[np.float32], named: BoolArray) -> BoolArray:
        """The most probable class of each row."""
        return most_probable(probabilities)

    def outcomes(self, named: BoolArray, shown: BoolArray) -> BoolArray:
        """Whether the named class is right, [N, 1]."""
        return np.asarray((named & shown).any(1))[:, None]

    def confidences(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """That of the most probable class, [N, 1]."""
        return np.asarray(probabilities.max(1), np.float32)[:, None]

    def class_scores(self, predictions: "Predictions") -> "tuple[ClassScore, ...]":
        """See `thaw.targets.one_label.metrics.class_scores`."""
        from thaw.targets.one_label.metrics import class_scores

        return class_scores(self.matrix(predictions)[0], predictions.class_names)

    def matrix(self, predictions: "Predictions") -> "tuple[IntArray, IntArray]":
        """The confusion matrix, and the rows of each label."""
        from thaw.targets.one_label.metrics import confusion_matrix

        counts = confusion_matrix(predictions.predicted, predictions.classes, len(predictions.class_names))
        return counts, np.broadcast_to(counts.sum(1, keepdims=True), counts.shape)

    def pairs(self, predictions: "Predictions") -> list[tuple[int, int]]:
        """One for each row."""
        return list(zip(predictions.classes.tolist(), predictions.predicted.tolist(), strict=True))

    def reliability(self, predictions: "Predictions", bins: int) -> "tuple[ReliabilityBin, ...]":
        """Confidence beside accuracy."""
        from thaw.targets.one_label.metrics import reliability

        return reliability(predictions.probabilities, predictions.classes, bins)

    def sure_mistakes(self, predictions: "Predictions") -> "FloatArray":
        """The probability of what is named."""
        wrong = predictions.predicted != predictions.classes
        return np.where(wrong, predictions.confidences.astype(np.float64), -1.0)

    def measure(self, predictions: "Predictions", *, bins: int, resampling: "Resampling") -> "Metrics":
        """See `thaw.targets.one_label.metrics.measure`."""
        from thaw.targets.one_label.metrics import measure

        return measure(
            predictions.probabilities,
            predictions.classes,
            bins=bins,
            resampling=resampling,
            groups=predictions.groups,
        )


ONE_LABEL = OneLabel()


def most_probable(probabilities: NDArray[np.float32]) -> BoolArray:
    """The most probable class of each row: float32 [N, C] -> bool [N, C], with one true value a row."""
    return np.asarray(np.eye(probabilities.shape[1], dtype=np.bool_)[probabilities.argmax(1)])
