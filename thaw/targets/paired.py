"""Paired comparison: two classifiers on the same rows, or two methods over the same seeds."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.special import bdtr, stdtrit  # scipy.stats has the same, and takes half a second to import

from thaw.foundation.statistics.bootstrap import (
    Estimate,
    FloatArray,
    IntArray,
    Resampling,
    bootstrap,
    one_of_each,
    percentile_interval,
    stacked,
    totals,
)
from thaw.foundation.statistics.clustered import unless_single
from thaw.targets.target import BoolArray, Target

DIGITS = 12
"""The digits of a difference between headlines."""


def mcnemar(only_first: int, only_second: int) -> float:
    """The two-sided p value of the exact McNemar test, from the rows that only one of the two has right; 1 if there are none.

    Source: Dietterich, "Approximate statistical tests for comparing supervised classification learning algorithms", Neural Computation 1998.
    """
    discordant = only_first + only_second
    return min(1.0, 2 * float(bdtr(min(only_first, only_second), discordant, 0.5))) if discordant else 1.0


def paired_p(first: BoolArray, second: BoolArray, groups: IntArray | None) -> float:
    """The two-sided p value of two classifiers that are right on the same share of rows: bool [N], whether each is right; McNemar's without groups.

    groups: int64 [N]. In each group the one that is right more often may by chance have been the other, so the difference of a group keeps its size and takes
    either sign: the exact distribution of all signs. With one row a group it is McNemar's test. Source: Fisher, "The Design of Experiments", 1935, section 21
    (the randomisation of signs).
    """
    if groups is None:
        return mcnemar(int((first & ~second).sum()), int((second & ~first).sum()))
    sums = np.bincount(np.unique(groups, return_inverse=True)[1], first.astype(np.float64) - second)
    sizes = np.abs(sums[sums != 0]).astype(np.int64)
    chances = np.ones(1)
    for size in sizes:  # the sum of the differences with one of the two signs
        grown = np.zeros(len(chances) + size)
        grown[: len(chances)] += chances / 2
        grown[size:] += chances / 2
        chances = grown
    extremes = np.abs(2 * np.arange(len(chances)) - sizes.sum()) >= abs(sums.sum()) - 0.5
    return min(1.0, float(chances[extremes].sum()))


def paired_interval(differences: Sequence[float], confidence: float = 0.95) -> Estimate:
    """The mean of paired differences, one a seed, with Student's t interval.

    Raises:
        ValueError: there are fewer than two differences.
    """
    values = np.asarray(differences, np.float64)
    if len(values) < 2:
        raise ValueError(f"{len(values)} differences; an interval needs at least 2")
    mean, error = float(values.mean()), float(values.std(ddof=1)) / len(values) ** 0.5
    margin = float(stdtrit(len(values) - 1, (1 + confidence) / 2)) * error
    return Estimate(mean, mean - margin, mean + margin)


def headlines(target: Target, tallies: BoolArray) -> FloatArray:
    """The headline of each draw, float64 [S]; tallies: bool [S, N, K], see `Target.tally`."""
    rows = np.full(len(tallies), float(tallies.shape[1]))
    return target.headline_of(tallies.sum(1, dtype=np.float64).T, rows)


def headline_difference(
    target: Target, first: BoolArray, second: BoolArray, resampling: Resampling, groups: IntArray | None = None
) -> Estimate:
    """The headline of the first minus that of the second, the mean over draws, with its paired percentile interval over rows, or over groups.

    first, second: bool [S, N, K], see `Target.tally`, of the same draws and rows. groups: see `bootstrap`.
    """
    draws, rows, sums = first.shape
    statistics = stacked([*(_sums(part) for part in (first, second)), one_of_each(rows)])

    def measure(drawn: FloatArray) -> FloatArray:
        sides = np.split(drawn[:-1], 2)
        own, other = (_mean_headline(target, part.reshape(draws, sums, -1), drawn[-1]) for part in sides)
        return rounded(own - other)[None]

    replicates = bootstrap(statistics, measure, resampling, groups)[0]
    found = percentile_interval(float(measure(totals(statistics))[0, 0]), replicates, resampling.confidence)
    return unless_single(found, groups, -1.0, 1.0)


def rounded(differences: FloatArray) -> FloatArray:
    """Differences rounded to `DIGITS`; sums in another order differ in their last bits, and equal values must differ by 0."""
    return np.round(differences, DIGITS)


def _sums(tallies: BoolArray) -> sparse.csr_array:
    """bool [S, N, K] as sparse [S K, N]."""
    draws, rows, sums = tallies.shape
    return sparse.csr_array(tallies.transpose(0, 2, 1).reshape(draws * sums, rows), dtype=np.float64)


def _mean_headline(target: Target, sums: FloatArray, rows: FloatArray) -> FloatArray:
    """The mean over draws, float64 [R], from sums [S, K, R] and numbers of rows [R]."""
    return np.asarray(np.mean([target.headline_of(draw, rows) for draw in sums], axis=0), np.float64)
