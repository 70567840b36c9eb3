"""Misses: the share of triggers that are not reported, with an interval over groups, and as a curve beside false accepts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from thaw.foundation.statistics.binomial_bound import upper_bound
from thaw.foundation.statistics.bootstrap import (
    Estimate,
    Resampling,
    bootstrap,
    one_hot,
    one_of_each,
    percentile_interval,
    stacked,
)
from thaw.targets.trigger.events import Background

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
CURVE = 200
"""The number of thresholds of a curve."""


def miss_rate(peaks: NDArray[np.float32], threshold: float, groups: Sequence[str], resampling: Resampling) -> Estimate:
    """The share of clips whose highest score is not above the threshold; peaks: float32 [N], N > 0; groups: of each clip, resampled whole.

    Where the bootstrap has no width (no clip is missed, or each), the end is the Clopper-Pearson bound over the groups.
    """
    missed = (peaks <= threshold).astype(np.float64)
    found = _mean_over_groups(missed, groups, resampling)
    end = upper_bound(0, len(set(groups)), (1 + resampling.confidence) / 2)
    if not missed.any():
        return replace(found, high=end)
    return replace(found, low=1 - end) if missed.all() else found


def miss_difference(missed: BoolArray, others: BoolArray, groups: Sequence[str], resampling: Resampling) -> Estimate:
    """The share of clips that a second detector misses, less that of the first, with its paired interval; missed, others: bool [N], N > 0, of the same clips.

    groups: of each clip, resampled whole.
    """
    return _mean_over_groups(others.astype(np.float64) - missed, groups, resampling)


def _mean_over_groups(values: FloatArray, groups: Sequence[str], resampling: Resampling) -> Estimate:
    places = np.unique(groups, return_inverse=True)[1].astype(np.int64)
    statistics = stacked([one_hot(np.zeros(len(values), np.int64), values, 1), one_of_each(len(values))])
    replicates = bootstrap(statistics, lambda drawn: drawn[:1] / drawn[1:], resampling, places)[0]
    return percentile_interval(float(values.mean()), replicates, resampling.confidence)


@dataclass(frozen=True, eq=False)
class Curve:
    """A detection error trade-off (Martin et al., Eurospeech 1997), float64 [K] each, thresholds rising: misses as shares, false accepts an hour."""

    thresholds: FloatArray
    misses: FloatArray
    false_accepts_per_hour: FloatArray


def det_curve(peaks: NDArray[np.float32], background: Background) -> Curve:
    """The curve over thresholds that are spread evenly over the scores of clips and the highest scores of the background; peaks: float32 [N]."""
    starts = np.arange(0, len(background.scores), background.refractory)
    highest = np.maximum.reduceat(background.scores, starts)
    scores = np.unique(np.concatenate([peaks, highest[np.isfinite(highest)]]))
    chosen = scores[np.unique(np.linspace(0, len(scores) - 1, CURVE).round().astype(int))]
    accepts = [background.false_accepts(float(each)).sum() / background.hours for each in chosen]
    missed = [(peaks <= each).mean() for each in chosen]
    return Curve(chosen.astype(np.float64), np.array(missed), np.array(accepts))


def misses_at(curve: Curve, false_accepts_per_hour: float) -> float:
    """The share of misses at the lowest threshold of the curve with at most so many false accepts an hour; 1 if there is none."""
    within = curve.false_accepts_per_hour <= false_accepts_per_hour
    return float(curve.misses[within].min(initial=1.0))
