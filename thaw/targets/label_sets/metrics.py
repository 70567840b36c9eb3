"""Metrics of a model that names sets of classes, with bootstrap intervals over rows or groups; the counterpart of `thaw.targets.one_label.metrics`."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from scipy import sparse

from thaw.foundation.statistics.bootstrap import (
    USUAL,
    Estimate,
    FloatArray,
    IntArray,
    Resampling,
    bootstrap,
    percentile_interval,
    resampled_rows,
    stacked,
    totals,
)
from thaw.foundation.statistics.clustered import unless_single
from thaw.targets.one_label.metrics import (
    SMALLEST_PROBABILITY,
    ClassScore,
    Probabilities,
    ReliabilityBin,
    bin_of,
    macro_f1,
    most_of,
    without_bias,
)
from thaw.targets.target import BoolArray


@dataclass(frozen=True)
class LabelSetMetrics:
    """The metrics on the scale [0, 1]; only the log loss is in nats a decision. For Hamming loss, log loss and ECE less is better."""

    micro_f1: Estimate
    macro_f1: Estimate
    mean_average_precision: Estimate
    exact_match: Estimate
    hamming_loss: Estimate
    log_loss: Estimate
    ece: Estimate


METRIC_NAMES = tuple(field.name for field in fields(LabelSetMetrics))
_OF_SUMS = tuple(name for name in METRIC_NAMES if name != "mean_average_precision")


def measure_sets(
    probabilities: Probabilities,
    named: BoolArray,
    targets: BoolArray,
    *,
    bins: int = 15,
    resampling: Resampling = USUAL,
    groups: IntArray | None = None,
) -> LabelSetMetrics:
    """Every metric with its percentile bootstrap interval over the rows, or over their groups (see `bootstrap`).

    probabilities: [N, C]; named, targets: bool [N, C]. Micro F1 counts all labels alike; macro F1 is the mean over the classes that are shown or named,
    mean average precision the mean over those that are shown, both by scikit-learn's definitions. Exact match is the share of rows whose set is right; Hamming
    loss the share of decisions (a row and a class) that are wrong. ECE takes each decision by its class's probability.

    Raises:
        ValueError: no rows, or shapes that do not fit.
    """
    if probabilities.ndim != 2 or named.shape != probabilities.shape or targets.shape != named.shape or not len(named):
        raise ValueError(f"{probabilities.shape}, {named.shape}, {targets.shape}: not [N, C] each, N > 0")
    classes = targets.shape[1]
    statistics = _statistics(probabilities.astype(np.float64), named, targets, bins)

    def measures(sums: FloatArray) -> FloatArray:
        return _measures(sums, classes)

    values = measures(totals(statistics))[:, 0]
    replicates = bootstrap(statistics, measures, resampling, groups)
    estimates = {
        name: percentile_interval(float(value), replicate, resampling.confidence)
        for name, value, replicate in zip(_OF_SUMS, values, replicates, strict=True)
    }
    estimates["ece"] = without_bias(estimates["ece"].value, replicates[-1], resampling.confidence)
    estimates["mean_average_precision"] = _mean_average_precision(probabilities, targets, groups, resampling)
    return LabelSetMetrics(
        **{name: unless_single(each, groups, 0.0, most_of(name)) for name, each in estimates.items()}
    )


def counts_of(named: BoolArray, targets: BoolArray) -> sparse.csr_array:
    """The counts that each row adds, by class: sparse [3 C, N]; right, shown and named rows, in the order of `macro_f1`."""
    return stacked([sparse.csr_array(part.T.astype(np.float64)) for part in (named & targets, targets, named)])


def _statistics(probabilities: FloatArray, named: BoolArray, targets: BoolArray, bins: int) -> sparse.csr_array:
    """The summands of each row in the sums that the metrics are made of: sparse [3 C + 4 + bins, N].

    The sums are the counts by class, rows, exact matches, wrong decisions, the log loss, and by bin the shown decisions minus their probability.
    """
    wrong = (named != targets).sum(1)
    likelihood = np.clip(np.where(targets, probabilities, 1 - probabilities), SMALLEST_PROBABILITY, 1)
    place = bin_of(probabilities.ravel(), bins).reshape(probabilities.shape)
    gaps = np.zeros((bins, len(targets)))
    np.add.at(gaps, (place, np.arange(len(targets))[:, None]), targets - probabilities)
    single = np.stack([np.ones(len(targets)), wrong == 0, wrong, -np.log(likelihood).sum(1)])
    return stacked([counts_of(named, targets), sparse.csr_array(np.concatenate([single, gaps]))])


def _measures(sums: FloatArray, classes: int) -> FloatArray:
    """The metrics in the order of `_OF_SUMS`, float64 [6, R], from sums [3 C + 4 + bins, R]."""
    right, shown, named = np.split(sums[: 3 * classes], 3)
    rows, exact, wrong, loss = sums[3 * classes : 3 * classes + 4]
    decisions = rows * classes
    return np.stack(
        [
            _ratio(2 * right.sum(0), (shown + named).sum(0)),
            macro_f1_of_sets(right, shown, named),
            exact / rows,
            wrong / decisions,
            loss / decisions,
            np.abs(sums[3 * classes + 4 :]).sum(0) / decisions,
        ]
    )


def macro_f1_of_sets(right: FloatArray, shown: FloatArray, named: FloatArray) -> FloatArray:
    """`thaw.targets.one_label.metrics.macro_f1`, and 0 if no class is shown or named: counts by class [C, R] to [R]."""
    seen = (shown + named).any(0)
    scores = np.zeros(right.shape[1])
    scores[seen] = macro_f1(right[:, seen], shown[:, seen], named[:, seen])
    return scores


def _ratio(upper: FloatArray, lower: FloatArray) -> FloatArray:
    return np.divide(upper, lower, out=np.zeros_like(upper), where=lower > 0)


def average_precisions(probabilities: Probabilities, targets: BoolArray) -> list[float | None]:
    """The average precision of each class; None if no row shows it."""
    # A second to import, which stages of one label need not pay.
    from sklearn.metrics import average_precision_score

    return [
        float(average_precision_score(targets[:, place], probabilities[:, place])) if targets[:, place].any() else None
        for place in range(targets.shape[1])
    ]


def _mean_average_precision(
    probabilities: Probabilities, targets: BoolArray, groups: IntArray | None, resampling: Resampling
) -> Estimate:
    known = [precision for precision in average_precisions(probabilities, targets) if precision is not None]
    if not known:
        return Estimate(0.0, 0.0, 0.0)
    shown = np.flatnonzero(targets.any(0))
    replicates = [
        resampled_mean_average_precision(probabilities[:, shown], targets[:, shown], counts)
        for counts in resampled_rows(len(targets), groups, resampling)
    ]
    return percentile_interval(float(np.mean(known)), np.concatenate(replicates), resampling.confidence)


def resampled_mean_average_precision(
    probabilities: Probabilities, targets: BoolArray, counts: FloatArray
) -> FloatArray:
    """The mean average precision of resamples, float64 [R]; counts [R, N]: the number of draws of each row.

    It is no function of sums over rows. So each class is sorted once, and its resamples follow from running sums; a call of scikit-learn for each resample
    would take about a hundred times as long. Classes that a resample lacks do not count in it.
    """
    total, known = np.zeros(len(counts)), np.zeros(len(counts))
    for column, shown in zip(probabilities.T, targets.T, strict=True):
        order = np.argsort(-column, kind="stable")
        last = np.append(
            np.diff(column[order]) != 0, True
        )  # of each run of equal probabilities, which are named together
        drawn = counts[:, order]
        right = (drawn * shown[order]).cumsum(1)[:, last]
        precision = _ratio(right, drawn.cumsum(1)[:, last])
        gained = np.diff(right, axis=1, prepend=0.0)
        total += _ratio((precision * gained).sum(1), right[:, -1])
        known += right[:, -1] > 0
    return _ratio(total, known)


def label_scores(
    probabilities: Probabilities, named: BoolArray, targets: BoolArray, class_names: Sequence[str]
) -> tuple[ClassScore, ...]:
    """The scores of each class, in the order of the names."""
    precisions = average_precisions(probabilities, targets)
    return tuple(
        _score(name, named[:, place], targets[:, place], precisions[place]) for place, name in enumerate(class_names)
    )


def _score(name: str, named: BoolArray, shown: BoolArray, average_precision: float | None) -> ClassScore:
    right, n, predicted = int((named & shown).sum()), int(shown.sum()), int(named.sum())
    return ClassScore(
        name=name,
        n=n,
        predicted=predicted,
        precision=right / predicted if predicted else None,
        recall=right / n if n else None,
        f1=2 * right / (n + predicted) if n + predicted else None,
        average_precision=average_precision,
    )


def reliability_of_sets(probabilities: Probabilities, targets: BoolArray, bins: int) -> tuple[ReliabilityBin, ...]:
    """Mean probabilities beside shares of shown classes, over all decisions, in `bins` bins of equal width."""
    flat, shown = probabilities.astype(np.float64).ravel(), targets.ravel()
    place = bin_of(flat, bins)
    return tuple(_bin(number, bins, flat[place == number], shown[place == number]) for number in range(bins))


def _bin(number: int, bins: int, probabilities: FloatArray, shown: BoolArray) -> ReliabilityBin:
    return ReliabilityBin(
        low=number / bins,
        high=(number + 1) / bins,
        n=len(shown),
        confidence=float(probabilities.mean()) if len(shown) else None,
        accuracy=float(shown.mean()) if len(shown) else None,
    )


def beside(named: BoolArray, targets: BoolArray) -> tuple[IntArray, IntArray]:
    """Two counts, int64 [C, C]. Cell (i, j) is about the rows that show i but not j: the number of them that are named j, and their number.

    The diagonal is about all rows that show i: the number of them that are named i, and their number. So the diagonal is recall, and the other cells are false
    names beside i.
    """
    shown, there = targets.astype(np.int64), (~targets).astype(np.int64)
    named_beside, of = shown.T @ (named & ~targets).astype(np.int64), shown.T @ there
    np.fill_diagonal(named_beside, (named & targets).sum(0))
    np.fill_diagonal(of, targets.sum(0))
    return named_beside, of
