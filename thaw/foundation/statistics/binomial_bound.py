"""A threshold that few unknown inputs pass, and the bound of their share."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

Shares = NDArray[np.float64]


def upper_bound(accepted: int, n: int, confidence: float) -> float:
    """The one-sided upper bound of a rate after `accepted` of `n` were accepted (Clopper and Pearson 1934)."""
    from scipy.stats import binomtest  # the import takes half a second

    return float(binomtest(accepted, n, alternative="less").proportion_ci(confidence, method="exact").high)


def rows_needed(rate: float, confidence: float) -> int:
    """The number of rows of which none may be accepted, for an upper bound of at most `rate`."""
    return math.ceil(math.log1p(-confidence) / math.log1p(-rate) - 1e-9)


def accepts_allowed(n: int, rate: float, confidence: float) -> int:
    """The most of `n` unknown rows that may be accepted for an upper bound of at most `rate`; 0 also if even none accepted cannot show it."""
    accepted = np.arange(math.floor(rate * n) + 1)
    bounds = betaincinv(accepted + 1, np.maximum(n - accepted, 1), confidence)
    return max(int((bounds <= rate).sum()) - 1, 0)


def threshold_for(unknown: Shares, rate: float, confidence: float) -> float:
    """The score above which no more unknown rows lie than `accepts_allowed` permits; unknown: float64 [N], N > 0.

    The threshold is the (a + 1)-th largest of the N scores. For rows drawn alike, the share above it has exactly the Clopper-Pearson bound of a accepted rows
    (Wilks 1941). Of equal scores all fail.
    """
    allowed = accepts_allowed(len(unknown), rate, confidence)
    return float(np.sort(unknown)[::-1][allowed])
