"""The gate `recall`: no class may be found less often than before, however well the other classes do."""

from dataclasses import dataclass

import numpy as np

from thaw.foundation.files.display_names import in_sentence
from thaw.foundation.statistics.bootstrap import USUAL, Estimate
from thaw.foundation.statistics.paired_proportions import paired_share_interval
from thaw.gates.outcome import Outcome, cannot_tell, failed, not_asked_by, passed
from thaw.gates.pairing import Paired
from thaw.params.sections import PromotionParams

GATE = "recall"
_NAMED = 5


@dataclass(frozen=True)
class Loss:
    """The loss of one class: `rows` test rows show it; `loss` is the champion's recall minus the challenger's, with its interval."""

    name: str
    rows: int
    loss: Estimate


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
        alone, gained = int((before & ~after).sum()), int((after & ~before).sum())
        interval = paired_share_interval(alone, gained, int(shown_by[place]), each)
        unsorted.append(Loss(paired.class_names[place], int(shown_by[place]), interval))
    return tuple(sorted(unsorted, key=lambda loss: (-loss.loss.value, loss.name)))


def recall(paired: Paired, params: PromotionParams, confidence: float = USUAL.confidence) -> Outcome:
    """The gate refuses a class whose interval lies wholly beyond `promotion.max_recall_loss`.

    A class of few rows has a wide interval: it can't tell, and refuses nothing; the words say so. The gate passes if no interval reaches beyond the limit.
    """
    allowed = params.max_recall_loss
    if allowed is None:
        return not_asked_by(GATE, "max_recall_loss")
    all_losses = losses(paired, confidence)
    worst = all_losses[0]
    figures = {"worst": worst.loss.value, "worst_low": worst.loss.low, "worst_high": worst.loss.high}
    lost = [loss for loss in all_losses if loss.loss.low > allowed]
    if lost:
        return failed(GATE, f"more recall than {allowed:g} is lost by {_listed(lost)}", figures)
    unsure = [loss for loss in all_losses if loss.loss.high > allowed]
    if unsure:
        few = f"{len(unsure)} of {len(all_losses)} classes have too few rows to rule it out, the worst {_listed(all_losses[:1])}"
        return cannot_tell(
            GATE, f"no class is shown to lose more recall than {allowed:g}; {few}", figures, refuses=False
        )
    return passed(GATE, f"no class loses more recall than {allowed:g}, the worst {_listed(all_losses[:1])}", figures)


def _listed(losses: list[Loss] | tuple[Loss, ...]) -> str:
    texts = [
        f"{in_sentence(loss.name)} ({0 - loss.loss.value:+.3f}, {0 - loss.loss.high:+.3f} to {0 - loss.loss.low:+.3f}, {loss.rows} rows)"
        for loss in losses[:_NAMED]
    ]
    more = len(losses) - _NAMED
    return ", ".join(texts) + (f" and {more} more" if more > 0 else "")
