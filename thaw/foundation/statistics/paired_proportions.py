"""The interval of the difference of two paired shares, also from few rows."""

import math
from collections.abc import Callable

from scipy.special import ndtri

from thaw.foundation.statistics.bootstrap import Estimate

_ENDS = 1 - 1e-9


def paired_share_interval(only_first: int, only_second: int, rows: int, confidence: float) -> Estimate:
    """The first share minus the second, over the same rows; `only_first` rows count for the first share alone, `only_second` for the second alone.

    The interval is Tango's score interval (Statistics in Medicine 1998). It keeps its coverage with few rows or without differing rows, where a bootstrap
    interval has no width.

    Raises:
        ValueError: there are no rows, or fewer rows than differ.
    """
    if rows < 1 or only_first + only_second > rows:
        raise ValueError(
            f"{only_first} and {only_second} of {rows} rows differ: there must be at least one row, and at least as many rows as differ"
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


def _score(first: int, second: int, rows: int, difference: float) -> float:
    """Tango's statistic of the hypothesis that the shares differ by `difference`: standard normal if they do, falling in `difference`."""
    linear = -first - second + (2 * rows - first + second) * difference
    constant = -second * difference * (1 - difference)
    share = (math.sqrt(max(0.0, linear**2 - 8 * rows * constant)) - linear) / (4 * rows)
    variance = rows * (2 * share + difference * (1 - difference))
    gap = first - second - rows * difference
    return gap / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, gap) if gap else 0.0
