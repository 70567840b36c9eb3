"""Bounds of a rate of events in time, such as false accepts an hour, from counted events.

Events of one recording often come together. Counts that vary more between recordings than chance allows are counted as clusters: `events / dispersion` of them.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri, ndtri, stdtrit

FloatArray = NDArray[np.float64]


def rate_bound(events: int, hours: float, confidence: float, dispersion: float = 1.0) -> float:
    """The one-sided upper bound of the rate an hour after `events` in `hours`; 3.0 / hours after none, at a confidence of 95 %.

    The bound is exact for a Poisson process (Garwood, Biometrika 1936). dispersion: at least 1; the bound is then that of clusters of so many events, which is
    the gamma bound of Fay and Feuer (Statistics in Medicine 1997) for clusters of one size.

    Raises:
        ValueError: there are no hours, or the dispersion is below 1.
    """
    if hours <= 0 or dispersion < 1:
        raise ValueError(
            f"{hours} hours and a dispersion of {dispersion}: hours must be above 0, the dispersion at least 1"
        )
    return float(dispersion * _mean_bound(events / dispersion, confidence) / hours)


def rate_floor(events: int, hours: float, confidence: float, dispersion: float = 1.0) -> float:
    """The one-sided lower bound of the rate an hour; 0 after no event. See `rate_bound`."""
    if hours <= 0 or dispersion < 1:
        raise ValueError(
            f"{hours} hours and a dispersion of {dispersion}: hours must be above 0, the dispersion at least 1"
        )
    return float(dispersion * chdtri(2 * events / dispersion, confidence) / 2 / hours) if events else 0.0


def hours_needed(rate: float, confidence: float, *, events: int = 0, dispersion: float = 1.0) -> float:
    """The hours with so many events that show a rate of at most `rate` an hour."""
    return rate_bound(events, 1.0, confidence, dispersion) / rate


def events_allowed(hours: float, rate: float, confidence: float, dispersion: float = 1.0) -> int | None:
    """The most events in `hours` whose bound is at most `rate`; None: even no event cannot show it."""
    counts = np.arange(int(rate * hours) + 1)
    bounds = dispersion * _mean_bound(counts / dispersion, confidence)
    allowed = int((bounds <= rate * hours * (1 + 1e-12)).sum()) - 1
    return allowed if allowed >= 0 else None


def dispersion_of(counts: NDArray[np.int64], hours: FloatArray, confidence: float) -> float:
    """The variance of the sum of counts, from the differences between groups, as a multiple of a Poisson process's variance; at least 1.

    counts: int64 [N], hours: float64 [N], each of a recording or of a group of them. The multiple is widened as by Student's t, with as many degrees of
    freedom as there are groups beyond the first, because few groups show little of the differences. A few large groups among many small ones count as few.
    Without an event the counts are taken for a Poisson process's, and widened alike.
    Sources: Liang and Zeger, Biometrika 1986 (the variance of a sum of clusters); Carter, Schnepel and Steigerwald, Review of Economics and Statistics 2017
    (the effective number of clusters).
    """
    total, effective = int(counts.sum()), float(hours.sum() ** 2 / np.square(hours).sum())
    residuals = counts - total / hours.sum() * hours
    beyond = max(1.0, effective - 1)
    variance = float(np.square(residuals).sum()) * effective / beyond / total if total else 1.0
    return max(1.0, variance) * float(stdtrit(beyond, confidence) / ndtri(confidence)) ** 2


def _mean_bound(count: float | FloatArray, confidence: float) -> FloatArray:
    """The upper bound of the mean of a Poisson variable after `count`, which need not be whole."""
    return np.asarray(chdtri(2 * (np.asarray(count) + 1), 1 - confidence) / 2)
