"""The gate `recall`: no class may be found less often than before, however well the other classes do."""

import numpy as np

from thaw.foundation.statistics.bootstrap import USUAL
from thaw.foundation.statistics.paired_proportions import paired_hits_interval
from thaw.gates.losses import Loss, Subject, judge_losses
from thaw.gates.outcome import Outcome, not_asked_by
from thaw.gates.pairing import Paired
from thaw.params.sections import PromotionParams

GATE = "recall"


def losses(paired: Paired, confidence: float) -> tuple[Loss, ...]:
    """The loss of each class that a row shows, the largest first.

    The intervals hold for all classes together with `confidence` (Bonferroni); otherwise some of a hundred classes would seem to lose by chance alone.
    """
    shown_by = paired.targets.sum(0)
    each = 1 - (1 - confidence) / max(1, int(np.count_nonzero(shown_by)))
    unsorted = []
    for place in np.flatnonzero(shown_by):
        rows = paired.targets[:, place]
        before, after = paired.champion.named[rows, place], paired.challenger.named[rows, place]
        interval = paired_hits_interval(before, after, paired.groups_of(rows), each)
        unsorted.append(Loss(paired.class_names[place], int(shown_by[place]), interval))
    return tuple(sorted(unsorted, key=lambda loss: (-loss.loss.value, loss.name)))


def recall(paired: Paired, params: PromotionParams, confidence: float = USUAL.confidence) -> Outcome:
    """The gate refuses a class whose interval lies wholly beyond `promotion.max_recall_loss`.

    A class of few rows has a wide interval: it can't tell, and refuses nothing; the words say so. The gate passes if no interval reaches beyond the limit.
    """
    allowed = params.max_recall_loss
    if allowed is None:
        return not_asked_by(GATE, "max_recall_loss")
    return judge_losses(GATE, losses(paired, confidence), allowed, Subject("recall", "class", "classes"))
