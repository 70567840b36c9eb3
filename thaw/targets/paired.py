"""Paired comparison: two classifiers on the same rows, or two methods over the same seeds."""

from collections.abc import Sequence

import numpy as np
from scipy.special import bdtr, stdtrit  # scipy.stats has the same, and takes half a second to import

from thaw.foundation.statistics.bootstrap import (
    USUAL,
    Estimate,
    FloatArray,
    Resampling,
    bootstrap,
    one_hot,
    percentile_interval,
)


def mcnemar(only_first: int, only_second: int) -> float:
    """The two-sided p value of the exact McNemar test, from the rows that one alone has right; 1 if there are none.

    Source: Dietterich, "Approximate statistical tests for comparing supervised classification learning algorithms", Neural Computation 1998.
    """
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
