"""Resampling: estimates with percentile intervals from statistics that are sums over rows, drawn one by one or in whole groups."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

CELLS_AT_ONCE = 4_000_000
"""The number of counts in memory at a time (32 MB), so that memory does not grow with rows times resamples."""


@dataclass(frozen=True)
class Estimate:
    """A value and the interval around it, on the value's own scale."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Resampling:
    """The settings of intervals: the number of resamples, the confidence of the interval, and the seed of the draws."""

    resamples: int = 1000
    confidence: float = 0.95
    seed: int = 0


USUAL = Resampling()


def resampled_counts(rows: int, resampling: Resampling) -> Iterator[FloatArray]:
    """The number of times that each of `rows` rows is drawn, with replacement, in each resample: chunks of float64 [R, rows]."""
    generator = np.random.default_rng(resampling.seed)
    chunk = max(1, CELLS_AT_ONCE // rows)
    for start in range(0, resampling.resamples, chunk):
        count = min(chunk, resampling.resamples - start)
        drawn = generator.integers(rows, size=(count, rows)) + rows * np.arange(count)[:, None]
        yield np.bincount(drawn.ravel(), minlength=count * rows).reshape(count, rows).astype(np.float64)


def resampled_groups(groups: IntArray, resampling: Resampling) -> Iterator[FloatArray]:
    """The number of times that each row is drawn where whole groups are drawn, int64 [N]: chunks of float64 [R, N]; see `bootstrap`."""
    numbers = np.unique(groups, return_inverse=True)[1]
    step = max(1, CELLS_AT_ONCE // len(groups))
    for counts in resampled_counts(int(numbers.max()) + 1, resampling):
        for start in range(0, len(counts), step):
            yield counts[start : start + step][:, numbers]


def resampled_rows(rows: int, groups: IntArray | None, resampling: Resampling) -> Iterator[FloatArray]:
    """`resampled_groups`, or without groups `resampled_counts`."""
    return resampled_counts(rows, resampling) if groups is None else resampled_groups(groups, resampling)


def bootstrap(
    statistics: sparse.csr_array,
    measure: Callable[[FloatArray], FloatArray],
    resampling: Resampling,
    groups: IntArray | None = None,
) -> FloatArray:
    """Measures of every resample: float64 [M, resamples].

    statistics: [K, N], column i has the summands of row i in each of K sums. measure: maps sums [K, R] to [M, R]. A measure that is a function of sums over
    rows costs one sparse product, not a call for each resample.
    groups: int64 [N]; rows of a group, such as the examples of a patient, are drawn together, so resamples differ in their number of rows, and a measure must
    take that number from a sum. None: each row is drawn by itself.
    Sources: Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 1979; for groups, Field and Welsh, "Bootstrapping clustered data",
    Journal of the Royal Statistical Society B 2007 (the cluster bootstrap).
    """
    drawn = statistics if groups is None else _summed_by_group(statistics, groups)
    chunks = resampled_counts(drawn.shape[1], resampling)
    return np.concatenate([measure(drawn @ counts.T) for counts in chunks], axis=1)


def _summed_by_group(statistics: sparse.csr_array, groups: IntArray) -> sparse.csr_array:
    numbers = np.unique(groups, return_inverse=True)[1]
    members = one_hot(numbers, np.ones(len(numbers)), int(numbers.max()) + 1)
    return sparse.csr_array(statistics @ members.T)


def totals(statistics: sparse.csr_array) -> FloatArray:
    """The sums over the original rows, float64 [K, 1]."""
    return np.asarray(statistics @ np.ones((statistics.shape[1], 1)), np.float64)


def percentile_interval(value: float, replicates: FloatArray, confidence: float) -> Estimate:
    """The central `confidence` of the replicates [R]."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(replicates, (tail, 1 - tail))
    return Estimate(value, float(low), float(high))


def one_hot(rows: IntArray, values: FloatArray, height: int) -> sparse.csr_array:
    """Column i holds `values[i]` in row `rows[i]`: sparse [height, N]."""
    columns = np.arange(len(rows))
    return sparse.csr_array((values, (rows, columns)), shape=(height, len(rows)))


def one_of_each(rows: int) -> sparse.csr_array:
    """The summands of the number of rows: sparse [1, N]."""
    return one_hot(np.zeros(rows, np.int64), np.ones(rows), 1)


def stacked(parts: Sequence[sparse.csr_array]) -> sparse.csr_array:
    """Statistics below each other: sparse [sum of the heights, N]."""
    return sparse.csr_array(sparse.vstack(parts))
