"""A threshold that few unknown inputs pass, and how sure that is."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

Shares = NDArray[np.float64]


def upper_bound(accepted: int, n: int, confidence: float) -> float:
    """The one-sided upper bound of a rate of which `accepted` of `n` were seen (Clopper and Pearson 1934)."""
    from scipy.stats import binomtest  # which takes half a second to import

    return float(binomtest(accepted, n, alternative="less").proportion_ci(confidence, method="exact").high)


def rows_needed(rate: float, confidence: float) -> int:
    """Of how many rows none must be accepted for the upper bound to come down to `rate`."""
    return math.ceil(math.log1p(-confidence) / math.log1p(-rate) - 1e-9)


def accepts_allowed(n: int, rate: float, confidence: float) -> int:
    """How many of `n` unknown rows may be accepted so that the upper bound is at most `rate`; 0 where even none is too few to show it."""
    accepted = np.arange(math.floor(rate * n) + 1)
    bounds = betaincinv(accepted + 1, np.maximum(n - accepted, 1), confidence)
    return max(int((bounds <= rate).sum()) - 1, 0)


def threshold_for(unknown: Shares, rate: float, confidence: float) -> float:
    """What a score must exceed so that no more unknown rows pass than `accepts_allowed` says; unknown: float64 [N], N > 0.

    It is one of the scores: what passes beyond the (a + 1)-th largest of N has, for rows drawn alike, just the Clopper-Pearson bound of a (Wilks 1941).
    Of equal scores all fail.
    """
    allowed = accepts_allowed(len(unknown), rate, confidence)
    return float(np.sort(unknown)[::-1][allowed])
