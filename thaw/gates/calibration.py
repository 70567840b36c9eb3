"""The gate `calibration`: whether the challenger's probabilities are less honest than the champion's."""

import numpy as np
from scipy import sparse

from thaw.foundation.statistics.bootstrap import (
    USUAL,
    Estimate,
    FloatArray,
    Resampling,
    bootstrap,
    percentile_interval,
    stacked,
    totals,
)
from thaw.gates.outcome import Outcome, cannot_tell, failed, not_asked_by, passed
from thaw.gates.pairing import Paired, Said
from thaw.params.sections import PromotionParams
from thaw.targets.one_label.metrics import bin_of

GATE = "calibration"
BINS = 15


def calibration_loss(paired: Paired, resampling: Resampling) -> Estimate:
    """The challenger's expected calibration error minus the champion's, with its paired percentile interval.

    The noise of resampling adds to absolute values, to both alike but not the same: the replicates are shifted so that their mean is the difference itself.
    """
    statistics = stacked([_gaps(paired.challenger), _gaps(paired.champion)])
    scale = [len(paired) * said.confidences.shape[1] for said in (paired.challenger, paired.champion)]

    def difference(sums: FloatArray) -> FloatArray:
        first, second = np.split(np.abs(sums), 2)
        return np.asarray(first.sum(0) / scale[0] - second.sum(0) / scale[1], np.float64)[None]

    value = float(difference(totals(statistics))[0, 0])
    replicates = bootstrap(statistics, difference, resampling)[0]
    return percentile_interval(value, replicates - replicates.mean() + value, resampling.confidence)


def calibration(paired: Paired, params: PromotionParams, resampling: Resampling = USUAL) -> Outcome:
    """Refuses only what is shown: an interval that lies beyond `promotion.max_calibration_loss`. One that reaches across it can't tell, and refuses nothing."""
    allowed = params.max_calibration_loss
    if allowed is None:
        return not_asked_by(GATE, "max_calibration_loss")
    loss = calibration_loss(paired, resampling)
    figures = {"loss": loss.value, "low": loss.low, "high": loss.high}
    found = f"the calibration error differs by {loss.value:+.3f} ({loss.low:+.3f} to {loss.high:+.3f})"
    if loss.low > allowed:
        return failed(GATE, f"{found}, and {allowed:g} more is allowed", figures)
    if loss.high > allowed:
        words = f"{found}; too few rows to rule out more than {allowed:g}"
        return cannot_tell(GATE, words, figures, refuses=False)
    return passed(GATE, f"{found}, and {allowed:g} more is allowed", figures)


def _gaps(said: Said) -> sparse.csr_array:
    """What each row adds to each bin: what came true minus its probability, sparse [bins, N]."""
    place = bin_of(said.confidences.ravel(), BINS).reshape(said.confidences.shape)
    gaps = np.zeros((BINS, len(said.hits)))
    np.add.at(gaps, (place, np.arange(len(said.hits))[:, None]), said.hits - said.confidences)
    return sparse.csr_array(gaps)  # type: ignore[no-untyped-call]
