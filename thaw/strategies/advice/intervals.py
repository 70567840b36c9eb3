"""Intervals over rows, whole groups together: of an accuracy, and of the difference between two on the same rows."""

import numpy as np
from scipy import sparse
from torch import Tensor

from thaw.foundation.statistics.bootstrap import (
    Estimate,
    FloatArray,
    Resampling,
    bootstrap,
    percentile_interval,
    totals,
)
from thaw.strategies.advice.out_of_fold import OutOfFold


def accuracy_of(found: OutOfFold, groups: Tensor | None, resampling: Resampling) -> Estimate | None:
    """The share of judged rows that are right, over all draws; None where no row was judged.

    Where every row is right (or none), resampling would say that it always will be: the interval then ends at the exact binomial limit (Clopper and
    Pearson 1934).
    """
    shares = found.shares
    estimate = _mean(shares, groups, resampling)
    if estimate is None:
        return None
    rows = int(np.isfinite(shares).sum())
    reach = 1 - ((1 - resampling.confidence) / 2) ** (1 / rows)
    low = min(estimate.low, 1 - reach) if estimate.value == 1 else estimate.low
    high = max(estimate.high, reach) if estimate.value == 0 else estimate.high
    return Estimate(estimate.value, low, high)


def gain_of(first: OutOfFold, second: OutOfFold, groups: Tensor | None, resampling: Resampling) -> Estimate | None:
    """Accuracy of the first minus that of the second, paired: on the draws and rows that judged both. None: there are none."""
    repeats = min(len(first.right), len(second.right))
    both = first.right[:repeats] - second.right[:repeats]
    return _mean(OutOfFold(both, 0).shares, groups, resampling)


def accuracy_beside(found: OutOfFold, other: OutOfFold) -> float | None:
    """Accuracy of `other` on the draws and rows that `found` judged; None: there are none that both judged."""
    repeats = min(len(found.right), len(other.right))
    there = np.where(np.isfinite(found.right[:repeats]), other.right[:repeats], np.nan)
    shares = OutOfFold(there, 0).shares
    known = np.isfinite(shares)
    return float(shares[known].mean()) if known.any() else None


def judged_rows(found: OutOfFold) -> int:
    """How many rows were judged in any draw."""
    return int(np.isfinite(found.right).any(0).sum())


def judged_draws(found: OutOfFold) -> int:
    """How many draws of the folds judged any row."""
    return int(np.isfinite(found.right).any(1).sum())


def _mean(values: FloatArray, groups: Tensor | None, resampling: Resampling) -> Estimate | None:
    """The mean of what is not NaN in `values` [N], with its percentile interval over groups, or rows where there are none."""
    known = np.isfinite(values)
    if not known.any():
        return None
    number = np.arange(known.sum()) if groups is None else np.unique(groups.numpy()[known], return_inverse=True)[1]
    sums = np.stack([np.bincount(number, values[known]), np.bincount(number).astype(np.float64)])
    statistics = sparse.csr_array(sums)  # type: ignore[no-untyped-call]
    replicates = bootstrap(statistics, lambda drawn: drawn[:1] / drawn[1:], resampling)[0]
    return percentile_interval(
        float((totals(statistics)[0] / totals(statistics)[1])[0]), replicates, resampling.confidence
    )
