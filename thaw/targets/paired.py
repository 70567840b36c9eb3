"""Paired comparison: two classifiers on the same rows, or two methods over the same seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.special import bdtr, stdtrit  # scipy.stats has the same, and takes half a second to import

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
from thaw.targets.one_label.metrics import macro_f1


@dataclass(frozen=True)
class PairedComparison:
    """The first classifier against the second on the same `n` rows; differences are first minus second.

    `only_first` rows are right by the first alone, `only_second` by the second alone; `mcnemar_p` is two-sided;
    `confidence` is that of the intervals.
    """

    n: int
    only_first: int
    only_second: int
    mcnemar_p: float
    accuracy_difference: Estimate
    macro_f1_difference: Estimate
    confidence: float


def compare(first: IntArray, second: IntArray, targets: IntArray, resampling: Resampling = USUAL) -> PairedComparison:
    """Compare predictions `first` and `second` of the same rows, all int64 [N].

    The intervals resample rows, the same ones for both classifiers (paired percentile bootstrap). The p value is of
    the exact McNemar test (Dietterich, "Approximate statistical tests for comparing supervised classification
    learning algorithms", Neural Computation 1998).

    Raises:
        ValueError: no rows, or arrays of different length.
    """
    if not len(targets) or first.shape != targets.shape or second.shape != targets.shape:
        raise ValueError(f"{first.shape} and {second.shape} predictions, {targets.shape} targets: not [N], N > 0")
    rows = len(targets)
    statistics = _statistics(first, second, targets)
    values = _differences(totals(statistics), rows)[:, 0]
    replicates = bootstrap(statistics, lambda sums: _differences(sums, rows), resampling)
    only_first = int(((first == targets) & (second != targets)).sum())
    only_second = int(((second == targets) & (first != targets)).sum())
    return PairedComparison(
        n=rows,
        only_first=only_first,
        only_second=only_second,
        mcnemar_p=mcnemar(only_first, only_second),
        accuracy_difference=percentile_interval(float(values[0]), replicates[0], resampling.confidence),
        macro_f1_difference=percentile_interval(float(values[1]), replicates[1], resampling.confidence),
        confidence=resampling.confidence,
    )


def mcnemar(only_first: int, only_second: int) -> float:
    """The two-sided p value of the exact McNemar test, from the rows that one alone has right; 1 if there are none."""
    discordant = only_first + only_second
    return min(1.0, 2 * float(bdtr(min(only_first, only_second), discordant, 0.5))) if discordant else 1.0


def paired_interval(differences: Sequence[float], confidence: float = 0.95) -> Estimate:
    """The mean of paired differences, one a seed, with Student's t interval.

    Raises:
        ValueError: fewer than two differences.
    """
    values = np.asarray(differences, np.float64)
    if len(values) < 2:
        raise ValueError(f"{len(values)} differences; an interval needs at least 2")
    mean, error = float(values.mean()), float(values.std(ddof=1)) / len(values) ** 0.5
    margin = float(stdtrit(len(values) - 1, (1 + confidence) / 2)) * error
    return Estimate(mean, mean - margin, mean + margin)


def mean_difference(first: FloatArray, second: FloatArray, resampling: Resampling = USUAL) -> Estimate:
    """The mean of first minus second, both float64 [N] on the same rows, with its paired percentile interval."""
    statistics = one_hot(np.zeros(len(first), np.int64), first - second, 1)
    replicates = bootstrap(statistics, lambda sums: sums / len(first), resampling)[0]
    return percentile_interval(float((first - second).mean()), replicates, resampling.confidence)


def _statistics(first: IntArray, second: IntArray, targets: IntArray) -> sparse.csr_array:
    """Sums by class, sparse [5 C, N]: labelled; right and predicted by the first; the same by the second."""
    classes = int(max(first.max(), second.max(), targets.max())) + 1
    ones = np.ones(len(targets))
    parts = [one_hot(targets, ones, classes)]
    for predicted in (first, second):
        parts.append(one_hot(targets, (predicted == targets).astype(np.float64), classes))
        parts.append(one_hot(predicted, ones, classes))
    return stacked(parts)


def _differences(sums: FloatArray, rows: int) -> FloatArray:
    """Accuracy and macro F1 of the first minus those of the second: [2, R] from sums [5 C, R]."""
    labelled, right_1, predicted_1, right_2, predicted_2 = np.split(sums, 5)
    accuracy = (right_1.sum(0) - right_2.sum(0)) / rows
    f1 = macro_f1(right_1, labelled, predicted_1) - macro_f1(right_2, labelled, predicted_2)
    return np.stack([accuracy, f1])
