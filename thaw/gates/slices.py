"""The gate `slices`: no hospital, scanner or other slice may lose what the others gain."""

import numpy as np

from thaw.dataset.slices import Slices
from thaw.foundation.statistics.bootstrap import USUAL
from thaw.foundation.statistics.paired_proportions import paired_hits_interval
from thaw.gates.losses import Loss, Subject, judge_losses
from thaw.gates.outcome import Outcome, not_asked, not_asked_by
from thaw.gates.pairing import Paired
from thaw.params.sections import PromotionParams

GATE = "slices"


def slice_losses(paired: Paired, slices: Slices, confidence: float) -> tuple[Loss, ...]:
    """The loss of right rows in each slice, the largest first.

    slices: of the challenger's test rows. The intervals hold for all slices together with `confidence` (Bonferroni), as those of the gate `recall`.
    """
    place = {digest: row for row, digest in reversed(list(enumerate(slices.digests)))}
    rows = [place.get(digest) for digest in paired.digests]
    after, before = paired.rights
    parts = [
        (f"{name} {value}", np.array([row is not None and column[row] == value for row in rows]))
        for name, column in zip(slices.names, slices.values, strict=True)
        for value in sorted({column[row] for row in rows if row is not None} - {None}, key=str)
    ]
    each = 1 - (1 - confidence) / max(1, len(parts))
    found = [
        Loss(name, int(own.sum()), paired_hits_interval(before[own], after[own], paired.groups_of(own), each))
        for name, own in parts
    ]
    return tuple(sorted(found, key=lambda loss: (-loss.loss.value, loss.name)))


def slices(
    paired: Paired, known: Slices | None, params: PromotionParams, confidence: float = USUAL.confidence
) -> Outcome:
    """The gate refuses a slice whose interval lies wholly beyond `promotion.max_slice_loss`. known: of the challenger's test rows; None: none are named."""
    allowed = params.max_slice_loss
    if allowed is None:
        return not_asked_by(GATE, "max_slice_loss")
    losses = () if known is None else slice_losses(paired, known, confidence)
    if not losses:
        return not_asked(GATE, "dataset.slices named no column when the challenger was made")
    return judge_losses(GATE, losses, allowed, Subject(paired.right, "slice", "slices"))
