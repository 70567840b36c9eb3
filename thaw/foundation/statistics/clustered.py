"""Intervals of shares and means over rows that come in groups, such as the examples of a patient; they are wide where there are few groups."""

from dataclasses import replace

import numpy as np
from scipy.special import betaincinv, stdtrit

from thaw.foundation.statistics.bootstrap import Estimate, FloatArray, IntArray

_SMALLEST = 1e-12


def each_its_own(rows: int) -> IntArray:
    """The groups of rows without groups, int64 [N]."""
    return np.arange(rows)


def share_interval(hits: FloatArray, groups: IntArray, confidence: float) -> Estimate:
    """The share of rows that hit, with the interval of `ratio_interval`; hits: 0 or 1, float64 [N], N > 0; groups: int64 [N]."""
    share = float(hits.mean())
    return ratio_interval(share, (hits - share) / len(hits), groups, confidence)


def ratio_interval(value: float, influence: FloatArray, groups: IntArray, confidence: float) -> Estimate:
    """The interval of a share, or of a mean of shares, from the influence of each row on it, float64 [N]; 0 to 1 from a single group.

    It is Clopper and Pearson's for as many independent rows as give the variance that is seen between groups; for no more rows than there are, and for as
    many as there are groups if none varies (`effective_rows`). Source: Korn and Graubard, "Confidence intervals for proportions with small expected number of
    positive counts estimated from survey data", Survey Methodology 1998.
    """
    if _count(groups) < 2:
        return Estimate(value, 0.0, 1.0)
    effective, tail = effective_rows(value * (1 - value), influence, groups, confidence), (1 - confidence) / 2
    hits = effective * value
    low = float(betaincinv(hits, effective - hits + 1, tail)) if hits > _SMALLEST else 0.0
    high = float(betaincinv(hits + 1, effective - hits, 1 - tail)) if effective - hits > _SMALLEST else 1.0
    return Estimate(value, min(low, value), max(high, value))


def effective_rows(variance: float, influence: FloatArray, groups: IntArray, confidence: float) -> float:
    """The number of independent rows of that variance whose mean would vary as much as groups show; groups: two or more.

    influence: of each row on the mean, float64 [N]. Few groups show little of what varies between them, so the number is reduced as by Student's t.
    """
    sums = np.bincount(np.unique(groups, return_inverse=True)[1], influence)
    count, rows = len(sums), len(influence)
    between = count / (count - 1) * float(np.square(sums).sum())
    alike = variance / between if between > _SMALLEST else float(count)
    tail = (1 - confidence) / 2
    widened = float(stdtrit(rows - 1, 1 - tail) / stdtrit(count - 1, 1 - tail)) ** 2
    return min(alike * widened, float(rows))


def unless_single(found: Estimate, groups: IntArray | None, low: float, high: float) -> Estimate:
    """The estimate; from `low` to `high`, the ends of its range, if all rows are of one group, because one group tells nothing of others."""
    return found if groups is None or _count(groups) > 1 else replace(found, low=low, high=high)


def _count(groups: IntArray) -> int:
    return len(np.unique(groups))


def mean_interval(values: FloatArray, groups: IntArray, confidence: float) -> Estimate:
    """The mean of values between -1 and 1, float64 [N], with Student's t interval over groups; -1 to 1 from a single group.

    Source: Liang and Zeger, "Longitudinal data analysis using generalized linear models", Biometrika 1986 (the variance of a sum of clusters).
    """
    mean = float(values.mean())
    sums = np.bincount(np.unique(groups, return_inverse=True)[1], (values - mean) / len(values))
    count = len(sums)
    if count < 2:
        return Estimate(mean, -1.0, 1.0)
    error = (count / (count - 1) * float(np.square(sums).sum())) ** 0.5
    margin = float(stdtrit(count - 1, (1 + confidence) / 2)) * error
    return Estimate(mean, max(-1.0, mean - margin), min(1.0, mean + margin))
