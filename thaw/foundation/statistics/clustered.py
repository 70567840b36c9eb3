"""Intervals of shares and means over rows that come in groups, such as the examples of a patient; they are wide where there are few groups."""

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
    many as there are groups if none varies. Source: Korn and Graubard, "Confidence intervals for proportions with small expected number of positive counts
    estimated from survey data", Survey Methodology 1998.
    """
    sums = np.bincount(np.unique(groups, return_inverse=True)[1], influence)
    count, rows = len(sums), len(influence)
    if count < 2:
        return Estimate(value, 0.0, 1.0)
    variance = count / (count - 1) * float(np.square(sums).sum())
    alike = value * (1 - value) / variance if variance > _SMALLEST else float(count)
    tail = (1 - confidence) / 2
    widened = float(stdtrit(rows - 1, 1 - tail) / stdtrit(count - 1, 1 - tail)) ** 2
    effective = min(alike * widened, float(rows))
    hits = effective * value
    low = float(betaincinv(hits, effective - hits + 1, tail)) if hits > _SMALLEST else 0.0
    high = float(betaincinv(hits + 1, effective - hits, 1 - tail)) if effective - hits > _SMALLEST else 1.0
    return Estimate(value, min(low, value), max(high, value))


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
