"""Intervals over rows, whole groups together, of the headline and of the difference of two headlines on the same rows.

The headline is the metric of the target's choices: accuracy for one label, macro F1 for label sets.
"""

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from torch import Tensor

from thaw.foundation.statistics.bootstrap import (
    Estimate,
    FloatArray,
    Resampling,
    bootstrap,
    one_of_each,
    percentile_interval,
    stacked,
    totals,
)
from thaw.strategies.advice.out_of_fold import OutOfFold
from thaw.targets.paired import rounded
from thaw.targets.target import Target


def headline_of(judged: OutOfFold, groups: Tensor | None, resampling: Resampling) -> Estimate | None:
    """The headline of judged rows, over all draws; None if no row was judged.

    If every row is right, or none, an interval by resampling would have no width; it then ends at the exact binomial limit (Clopper and Pearson 1934).
    """
    estimate = _estimate([judged], groups, resampling)
    if estimate is None:
        return None
    own = None if groups is None else groups.numpy()[judged.judged.any(0)]
    independent = judged_rows(judged) if own is None else len(np.unique(own))
    reach = 1 - ((1 - resampling.confidence) / 2) ** (1 / independent)
    low = min(estimate.low, 1 - reach) if estimate.value == 1 else estimate.low
    high = max(estimate.high, reach) if estimate.value == 0 else estimate.high
    return Estimate(estimate.value, low, high)


def gain_of(first: OutOfFold, second: OutOfFold, groups: Tensor | None, resampling: Resampling) -> Estimate | None:
    """The headline of the first minus that of the second, paired on the draws and rows that judged both; None if there are none."""
    return _estimate([first.judged_by(second), second.judged_by(first)], groups, resampling)


def headline_beside(judged: OutOfFold, other: OutOfFold) -> float | None:
    """The headline of `other` on the draws and rows of `judged`; None if no row was judged in both."""
    shares = other.judged_by(judged).shares
    known = shares[np.isfinite(shares[:, 0])]
    if not len(known):
        return None
    return float(other.target.headline_of(known.sum(0)[:, None], np.array([float(len(known))]))[0])


def judged_rows(judged: OutOfFold) -> int:
    """The number of rows that were judged in any draw."""
    return int(judged.judged.any(0).sum())


def judged_draws(judged: OutOfFold) -> int:
    """The number of draws of the folds that judged any row."""
    return int(judged.judged.any(1).sum())


def _estimate(parts: Sequence[OutOfFold], groups: Tensor | None, resampling: Resampling) -> Estimate | None:
    """The headline of one part, or the difference of two on the same judged rows, with its percentile interval over groups, or over rows without groups."""
    known = parts[0].judged.any(0)
    if not known.any():
        return None
    own = None if groups is None else groups.numpy()[known]
    sums = [sparse.csr_array(part.shares[known].T) for part in parts]
    statistics, target = stacked([*sums, one_of_each(int(known.sum()))]), parts[0].target

    def measure(drawn: FloatArray) -> FloatArray:
        return _difference(target, np.split(drawn[:-1], len(parts)), drawn[-1])[None]

    replicates = bootstrap(statistics, measure, resampling, own)[0]
    return percentile_interval(float(measure(totals(statistics))[0, 0]), replicates, resampling.confidence)


def _difference(target: Target, sums: Sequence[FloatArray], rows: FloatArray) -> FloatArray:
    first, *others = (target.headline_of(each, rows) for each in sums)
    return rounded(first - others[0]) if others else first
