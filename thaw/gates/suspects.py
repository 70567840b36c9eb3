"""The gate `suspect labels`: whether too many of the labels that the model learnt from look wrong."""

from thaw.evaluation.checks import Checks
from thaw.gates.outcome import Outcome, failed, not_asked, not_asked_by, not_measured, passed
from thaw.pages.layout import percent

GATE = "suspect labels"


def suspect_labels(checks: Checks | None, allowed: float | None) -> Outcome:
    """Refuses a larger share than `allowed`; what was not measured refuses, too. Confident learning judges one label an image, and no sets of them."""
    if allowed is None:
        return not_asked_by(GATE, "max_suspects")
    if checks is None:
        return not_measured(GATE, "report/checks.json")
    found = checks.suspects
    if found is None:
        return not_asked(GATE, "does not apply to sets of labels")
    words = f"{found.suspects} of {found.labels} labels learnt from look wrong ({percent(found.share)}); {percent(allowed)} may"
    figures = {"labels": float(found.labels), "suspects": float(found.suspects), "share": found.share}
    if found.share > allowed:
        return failed(GATE, f"{words}; `thaw review` shows them", figures)
    return passed(GATE, words, figures)
