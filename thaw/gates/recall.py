"""The gate `recall`: whether some class is found less often than before, however well the others do."""

from dataclasses import dataclass

import numpy as np

from thaw.foundation.files.display_names import shown
from thaw.foundation.statistics.bootstrap import USUAL, Estimate
from thaw.foundation.statistics.paired_proportions import paired_share_interval
from thaw.gates.outcome import Outcome, cannot_tell, failed, not_asked_by, passed
from thaw.gates.pairing import Paired
from thaw.params.sections import PromotionParams

GATE = "recall"
_NAMED = 5


@dataclass(frozen=True)
class Loss:
    """Of one class: `rows` test rows show it; `loss` is the champion's recall minus the challenger's, with its interval."""

    name: str
    rows: int
    loss: Estimate


def losses(paired: Paired, confidence: float) -> tuple[Loss, ...]:
    """Of each class that a row shows, the largest first.

    The intervals hold for all classes together with `confidence` (Bonferroni): of a hundred classes some would seem to lose by chance alone.
    """
    shown_by = paired.targets.sum(0)
    each = 1 - (1 - confidence) / max(1, int(np.count_nonzero(shown_by)))
    found = []
    for place in np.flatnonzero(shown_by):
        rows = paired.targets[:, place]
        before, after = paired.champion.named[rows, place], paired.challenger.named[rows, place]
        alone, gained = int((before & ~after).sum()), int((after & ~before).sum())
        interval = paired_share_interval(alone, gained, int(shown_by[place]), each)
        found.append(Loss(paired.class_names[place], int(shown_by[place]), interval))
    return tuple(sorted(found, key=lambda one: (-one.loss.value, one.name)))


def recall(paired: Paired, params: PromotionParams, confidence: float = USUAL.confidence) -> Outcome:
    """Refuses only what is shown: a class whose interval lies beyond `promotion.max_recall_loss`.

    A class of few rows has a wide interval: it can't tell, which the words say, and refuses nothing. It passes where no interval reaches beyond.
    """
    allowed = params.max_recall_loss
    if allowed is None:
        return not_asked_by(GATE, "max_recall_loss")
    found = losses(paired, confidence)
    worst = found[0]
    figures = {"worst": worst.loss.value, "worst_low": worst.loss.low, "worst_high": worst.loss.high}
    lost = [one for one in found if one.loss.low > allowed]
    if lost:
        return failed(GATE, f"more recall than {allowed:g} is lost by {_listed(lost)}", figures)
    unsure = [one for one in found if one.loss.high > allowed]
    if unsure:
        few = f"{len(unsure)} of {len(found)} classes have too few rows to rule it out, the worst {_listed(found[:1])}"
        return cannot_tell(
            GATE, f"no class is shown to lose more recall than {allowed:g}; {few}", figures, refuses=False
        )
    return passed(GATE, f"no class loses more recall than {allowed:g}, the worst {_listed(found[:1])}", figures)


def _listed(found: list[Loss] | tuple[Loss, ...]) -> str:
    said = [
        f"{shown(one.name)} ({0 - one.loss.value:+.3f}, {0 - one.loss.high:+.3f} to {0 - one.loss.low:+.3f}, {one.rows} rows)"
        for one in found[:_NAMED]
    ]
    more = len(found) - _NAMED
    return ", ".join(said) + (f" and {more} more" if more > 0 else "")
