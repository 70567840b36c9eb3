"""Metrics of a classifier, from its probabilities and the targets, with bootstrap intervals over rows, or over groups of rows."""

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from thaw.foundation.statistics.bootstrap import (
    USUAL,
    Estimate,
    FloatArray,
    IntArray,
    Resampling,
    bootstrap,
    one_hot,
    percentile_interval,
    stacked,
    totals,
)
from thaw.foundation.statistics.clustered import unless_single

Probabilities = NDArray[np.floating]
"""[N, C]; a row sums to 1."""

SMALLEST_PROBABILITY = float(np.finfo(np.float32).eps)
"""Smaller probabilities count as this in the log loss, as in scikit-learn for float32."""


@dataclass(frozen=True)
class Metrics:
    """The metrics on the scale [0, 1]; only the log loss is in nats. For log loss and ECE less is better."""

    accuracy: Estimate
    balanced_accuracy: Estimate
    macro_f1: Estimate
    log_loss: Estimate
    ece: Estimate


METRIC_NAMES = tuple(field.name for field in fields(Metrics))


@dataclass(frozen=True)
class ClassScore:
    """The scores of one class: `n` rows show it, `predicted` rows were named so. An undefined score is None (no rows, or never predicted).

    average_precision: of label sets alone.
    """

    name: str
    n: int
    predicted: int
    precision: float | None
    recall: float | None
    f1: float | None
    average_precision: float | None = None


@dataclass(frozen=True)
class ReliabilityBin:
    """The rows whose confidence lies in (low, high]: their mean confidence and accuracy; None without rows."""

    low: float
    high: float
    n: int
    confidence: float | None
    accuracy: float | None


def measure(
    probabilities: Probabilities,
    targets: IntArray,
    *,
    bins: int = 15,
    resampling: Resampling = USUAL,
    groups: IntArray | None = None,
) -> Metrics:
    """Every metric with its percentile bootstrap interval over the rows, or over their groups.

    probabilities: [N, C]; targets: int64 [N], indices into the C classes; groups: see `bootstrap`. Balanced accuracy is the mean recall over
    the classes among the targets; macro F1 the mean over the classes among targets or predictions, as in
    scikit-learn. ECE is the expected calibration error with `bins` bins of equal width (Guo et al., "On Calibration
    of Modern Neural Networks", ICML 2017).

    Raises:
        ValueError: no rows, shapes that do not fit, or a target that is no class.
    """
    _check(probabilities, targets)
    rows, classes = probabilities.shape
    statistics = _statistics(probabilities.astype(np.float64), targets, bins)

    def measures(sums: FloatArray) -> FloatArray:
        return _measures(sums, classes)

    values = measures(totals(statistics))[:, 0]
    replicates = bootstrap(statistics, measures, resampling, groups)
    estimates = {
        name: percentile_interval(float(value), replicate, resampling.confidence)
        for name, value, replicate in zip(METRIC_NAMES, values, replicates, strict=True)
    }
    independent = rows if groups is None else len(np.unique(groups))
    estimates["accuracy"] = _never_without_width(estimates["accuracy"], independent, resampling.confidence)
    estimates["ece"] = without_bias(estimates["ece"].value, replicates[-1], resampling.confidence)
    return Metrics(**{name: unless_single(each, groups, 0.0, most_of(name)) for name, each in estimates.items()})


def most_of(metric: str) -> float:
    """The end of a metric's range."""
    return -math.log(SMALLEST_PROBABILITY) if metric == "log_loss" else 1.0


def _check(probabilities: Probabilities, targets: IntArray) -> None:
    if probabilities.ndim != 2 or targets.shape != probabilities.shape[:1] or not len(targets):
        raise ValueError(f"{probabilities.shape} probabilities, {targets.shape} targets: not [N, C], [N], N > 0")
    if targets.min() < 0 or targets.max() >= probabilities.shape[1]:
        raise ValueError(f"targets {targets.min()} to {targets.max()} for {probabilities.shape[1]} classes")


def _statistics(probabilities: FloatArray, targets: IntArray, bins: int) -> sparse.csr_array:
    """The summands of each row in the sums that the metrics are made of: sparse [3 C + 1 + bins, N].

    The sums are the right, labelled and predicted rows by class, the log loss, and by bin accuracy minus confidence.
    """
    rows, classes = probabilities.shape
    predicted = probabilities.argmax(1)
    right = (predicted == targets).astype(np.float64)
    top = probabilities.max(1)
    loss = -np.log(np.clip(probabilities[np.arange(rows), targets], SMALLEST_PROBABILITY, 1))
    return stacked(
        [
            one_hot(targets, right, classes),
            one_hot(targets, np.ones(rows), classes),
            one_hot(predicted, np.ones(rows), classes),
            one_hot(np.zeros(rows, np.int64), loss, 1),
            one_hot(bin_of(top, bins), right - top, bins),
        ]
    )


def _measures(sums: FloatArray, classes: int) -> FloatArray:
    """The metrics in the order of `METRIC_NAMES`, float64 [5, R], from sums [3 C + 1 + bins, R]."""
    right, labelled, predicted = np.split(sums[: 3 * classes], 3)
    rows = labelled.sum(0)
    return np.stack(
        [
            right.sum(0) / rows,
            balanced_accuracy(right, labelled),
            macro_f1(right, labelled, predicted),
            sums[3 * classes] / rows,
            np.abs(sums[3 * classes + 1 :]).sum(0) / rows,
        ]
    )


def balanced_accuracy(right: FloatArray, labelled: FloatArray) -> FloatArray:
    """Mean recall over the labelled classes: counts by class [C, R] to [R]."""
    recall = np.divide(right, labelled, out=np.zeros_like(right), where=labelled > 0)
    return np.asarray(recall.sum(0) / np.count_nonzero(labelled, axis=0), np.float64)


def macro_f1(right: FloatArray, labelled: FloatArray, predicted: FloatArray) -> FloatArray:
    """Mean F1 over the labelled or predicted classes: counts by class [C, R] to [R]."""
    seen = labelled + predicted
    f1 = np.divide(2 * right, seen, out=np.zeros_like(right), where=seen > 0)
    return np.asarray(f1.sum(0) / np.count_nonzero(seen, axis=0), np.float64)


def _never_without_width(accuracy: Estimate, rows: int, confidence: float) -> Estimate:
    """The accuracy with Clopper and Pearson's exact interval if all rows are right, or none; the interval by resampling would have no width.

    rows: the number of independent ones, or of groups.
    """
    if 0 < accuracy.value < 1:
        return accuracy
    nearest = ((1 - confidence) / 2) ** (1 / rows)
    return Estimate(1.0, nearest, 1.0) if accuracy.value else Estimate(0.0, 0.0, 1 - nearest)


def without_bias(value: float, replicates: FloatArray, confidence: float) -> Estimate:
    """The interval of the replicates after a shift of their mean to `value`, cut at 0.

    ECE sums absolute values, and the noise of resampling increases each, so its replicates lie above the estimate.
    """
    shifted = percentile_interval(value, replicates - replicates.mean() + value, confidence)
    return Estimate(value, max(0.0, shifted.low), shifted.high)


def bin_of(confidences: FloatArray, bins: int) -> IntArray:
    """The bin of each confidence, int64 [N]; bin b holds (b / bins, (b + 1) / bins], the first bin also 0."""
    inner = np.arange(1, bins) / bins
    return np.searchsorted(inner, confidences, side="left").astype(np.int64)


def confusion_matrix(predicted: IntArray, targets: IntArray, classes: int) -> IntArray:
    """Counts, int64 [C, C]: row is the label, column the prediction."""
    return np.bincount(targets * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def class_scores(confusion: IntArray, class_names: tuple[str, ...]) -> tuple[ClassScore, ...]:
    """The scores of each class, in the order of the names, from a confusion matrix [C, C]."""
    return tuple(_class_score(confusion, position, name) for position, name in enumerate(class_names))


def _class_score(confusion: IntArray, position: int, name: str) -> ClassScore:
    right = int(confusion[position, position])
    n, predicted = int(confusion[position].sum()), int(confusion[:, position].sum())
    return ClassScore(
        name=name,
        n=n,
        predicted=predicted,
        precision=right / predicted if predicted else None,
        recall=right / n if n else None,
        f1=2 * right / (n + predicted) if n + predicted else None,
    )


def reliability(probabilities: Probabilities, targets: IntArray, bins: int) -> tuple[ReliabilityBin, ...]:
    """Confidence beside accuracy in `bins` bins of equal width; probabilities [N, C], targets int64 [N]."""
    top = probabilities.max(1).astype(np.float64)
    right = probabilities.argmax(1) == targets
    place = bin_of(top, bins)
    return tuple(_reliability_bin(b, bins, top[place == b], right[place == b]) for b in range(bins))


def _reliability_bin(position: int, bins: int, top: FloatArray, right: NDArray[np.bool_]) -> ReliabilityBin:
    return ReliabilityBin(
        low=position / bins,
        high=(position + 1) / bins,
        n=len(top),
        confidence=float(top.mean()) if len(top) else None,
        accuracy=float(right.mean()) if len(top) else None,
    )
