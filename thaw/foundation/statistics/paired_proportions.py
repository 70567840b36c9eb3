"""The interval of the difference of two paired shares, also from few rows."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from thaw.foundation.statistics.bootstrap import Estimate, IntArray
from thaw.foundation.statistics.clustered import effective_rows

_ENDS = 1 - 1e-9


BoolArray = NDArray[np.bool_]


def paired_hits_interval(first: BoolArray, second: BoolArray, groups: IntArray | None, confidence: float) -> Estimate:
    """The share of hits of the first minus that of the second, on the same rows, bool [N] each, N > 0, with its interval.

    groups: int64 [N], rows of a group are not independent; None: each row is its own. With groups the counts are divided by the design effect, the ratio of
    the variance between groups to that of as many independent rows: Rao and Scott, "A simple method for the analysis of clustered binary data", Biometrics
    1992. A single group gives -1 to 1.
    """
    alone, lost, rows = int((first & ~second).sum()), int((second & ~first).sum()), len(first)
    if groups is None:
        return paired_share_interval(alone, lost, rows, confidence)
    if len(np.unique(groups)) < 2:
        return Estimate((alone - lost) / rows, -1.0, 1.0)
    effective = effective_pairs(first, second, groups, confidence)
    kept = effective / rows
    found = paired_share_interval(alone * kept, lost * kept, effective, confidence)
    return Estimate((alone - lost) / rows, found.low, found.high)


def effective_pairs(first: BoolArray, second: BoolArray, groups: IntArray, confidence: float) -> float:
    """The number of independent rows that would tell as much of the difference of hits; groups: int64 [N], two or more."""
    differences = first.astype(np.float64) - second
    influence = (differences - differences.mean()) / len(differences)
    return effective_rows(float(differences.var()), influence, groups, confidence)


def paired_share_interval(only_first: float, only_second: float, rows: float, confidence: float) -> Estimate:
    """The first share minus the second, over the same rows; `only_first` rows count for the first share alone, `only_second` for the second alone.

    The interval is Tango's score interval (Statistics in Medicine 1998). It keeps its coverage with few rows or without differing rows, where a bootstrap
    interval has no width. Counts need not be whole.

    Raises:
        ValueError: there are no rows, or fewer rows than differ.
    """
    if rows <= 0 or only_first + only_second > rows * (1 + 1e-9):
        raise ValueError(
            f"{only_first} and {only_second} of {rows} rows differ: there must be rows, and at least as many as differ"
        )
    critical = float(ndtri((1 + confidence) / 2))
    value = (only_first - only_second) / rows

    def beyond(end: float) -> Callable[[float], float]:
        return lambda difference: _score(only_first, only_second, rows, difference) - end

    low = -1.0 if beyond(critical)(-_ENDS) < 0 else _root(beyond(critical), -_ENDS, min(value, _ENDS))
    high = 1.0 if beyond(-critical)(_ENDS) > 0 else _root(beyond(-critical), max(value, -_ENDS), _ENDS)
    return Estimate(value, min(low, value), max(high, value))


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    from scipy.optimize import brentq

    return float(brentq(function, low, high))


def _score(first: float, second: float, rows: float, difference: float) -> float:
    """Tango's statistic of the hypothesis that the shares differ by `difference`: standard normal if they do, falling in `difference`."""
    linear = -first - second + (2 * rows - first + second) * difference
    constant = -second * difference * (1 - difference)
    share = (math.sqrt(max(0.0, linear**2 - 8 * rows * constant)) - linear) / (4 * rows)
    variance = rows * (2 * share + difference * (1 - difference))
    gap = first - second - rows * difference
    return gap / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, gap) if gap else 0.0
