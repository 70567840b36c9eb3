"""The gate `calibration`: the challenger's probabilities must not be less honest than the champion's."""

import numpy as np
from scipy import sparse

from thaw.foundation.statistics.bootstrap import (
    USUAL,
    Estimate,
    FloatArray,
    Resampling,
    bootstrap,
    one_of_each,
    percentile_interval,
    stacked,
    totals,
)
from thaw.foundation.statistics.clustered import unless_single
from thaw.gates.outcome import Outcome, cannot_tell, failed, not_asked_by, passed
from thaw.gates.pairing import Paired, Side
from thaw.params.sections import PromotionParams
from thaw.targets.one_label.metrics import bin_of

GATE = "calibration"
BINS = 15


def calibration_loss(paired: Paired, resampling: Resampling) -> Estimate:
    """The challenger's expected calibration error minus the champion's, with its paired percentile interval.

    The noise of resampling increases absolute values, and not by the same amount for both. So the replicates are shifted until their mean is the difference.
    """
    statistics = stacked([_gaps(paired.challenger), _gaps(paired.champion), one_of_each(len(paired))])
    each = [side.confidences.shape[1] for side in (paired.challenger, paired.champion)]

    def difference(sums: FloatArray) -> FloatArray:
        first, second = np.split(np.abs(sums[:-1]), 2)
        rows = sums[-1]
        return np.asarray(first.sum(0) / (rows * each[0]) - second.sum(0) / (rows * each[1]), np.float64)[None]

    value = float(difference(totals(statistics))[0, 0])
    replicates = bootstrap(statistics, difference, resampling, paired.groups)[0]
    found = percentile_interval(value, replicates - replicates.mean() + value, resampling.confidence)
    return unless_single(found, paired.groups, -1.0, 1.0)


def calibration(paired: Paired, params: PromotionParams, resampling: Resampling = USUAL) -> Outcome:
    """The gate refuses an interval that lies wholly beyond `promotion.max_calibration_loss`. An interval across the limit can't tell, and refuses nothing."""
    allowed = params.max_calibration_loss
    if allowed is None:
        return not_asked_by(GATE, "max_calibration_loss")
    loss = calibration_loss(paired, resampling)
    figures = {"loss": loss.value, "low": loss.low, "high": loss.high}
    difference = f"the calibration error differs by {loss.value:+.3f} ({loss.low:+.3f} to {loss.high:+.3f})"
    if loss.low > allowed:
        return failed(GATE, f"{difference}, and {allowed:g} more is allowed", figures)
    if loss.high > allowed:
        words = f"{difference}; too few rows to rule out more than {allowed:g}"
        return cannot_tell(GATE, words, figures, refuses=False)
    return passed(GATE, f"{difference}, and {allowed:g} more is allowed", figures)


def _gaps(side: Side) -> sparse.csr_array:
    """The sum that each row adds to each bin: hits minus their probabilities, sparse [bins, N]."""
    place = bin_of(side.confidences.ravel(), BINS).reshape(side.confidences.shape)
    gaps = np.zeros((BINS, len(side.hits)))
    np.add.at(gaps, (place, np.arange(len(side.hits))[:, None]), side.hits - side.confidences)
    return sparse.csr_array(gaps)
