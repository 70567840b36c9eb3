"""Losses of parts of the test against the champion, each with its interval, and the gates' judgement of the worst."""

from collections.abc import Sequence
from dataclasses import dataclass

from thaw.foundation.files.display_names import in_sentence
from thaw.foundation.statistics.bootstrap import Estimate
from thaw.gates.outcome import Outcome, cannot_tell, failed, passed

_NAMED = 5


@dataclass(frozen=True)
class Loss:
    """The loss of one part, such as a class: of its `rows` test rows, the champion's share of right ones minus the challenger's, with its interval."""

    name: str
    rows: int
    loss: Estimate


@dataclass(frozen=True)
class Subject:
    """The words for what is lost, and for a part and several of them."""

    lost: str
    one: str
    many: str


def judge_losses(gate: str, losses: Sequence[Loss], allowed: float, subject: Subject) -> Outcome:
    """The gate refuses a part whose interval lies wholly beyond `allowed`. Parts of few rows have wide intervals: they can't tell, and refuse nothing.

    losses: at least one, the largest first.
    """
    worst = losses[0]
    figures = {"worst": worst.loss.value, "worst_low": worst.loss.low, "worst_high": worst.loss.high}
    more = f"more {subject.lost} than {allowed:g}"
    lost = [loss for loss in losses if loss.loss.low > allowed]
    if lost:
        return failed(gate, f"{more} is lost by {_listed(lost)}", figures)
    unsure = [loss for loss in losses if loss.loss.high > allowed]
    if unsure:
        few = f"{len(unsure)} of {len(losses)} {subject.many} have too few rows to rule it out, the worst {_listed(losses[:1])}"
        return cannot_tell(gate, f"no {subject.one} is shown to lose {more}; {few}", figures, refuses=False)
    return passed(gate, f"no {subject.one} loses {more}, the worst {_listed(losses[:1])}", figures)


def _listed(losses: Sequence[Loss]) -> str:
    texts = [
        f"{in_sentence(loss.name)} ({0 - loss.loss.value:+.3f}, {0 - loss.loss.high:+.3f} to {0 - loss.loss.low:+.3f}, {loss.rows} rows)"
        for loss in losses[:_NAMED]
    ]
    more = len(losses) - _NAMED
    return ", ".join(texts) + (f" and {more} more" if more > 0 else "")
