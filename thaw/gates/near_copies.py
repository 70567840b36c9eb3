"""The gate `near-copies`: whether the test asks for pictures that the model has all but seen."""

from thaw.evaluation.checks import NearCopies
from thaw.gates.outcome import Outcome, failed, not_asked_by, not_measured, passed
from thaw.pages.layout import percent

GATE = "near-copies"


def near_copies(found: NearCopies | None, allowed: float | None) -> Outcome:
    """Refuses a larger share of the test than `allowed`; what was not measured refuses, too."""
    if allowed is None:
        return not_asked_by(GATE, "max_near_copies")
    if found is None:
        return not_measured(GATE, "report/checks.json")
    words = f"{found.copies} of {found.compared} test images are near-copies of images learnt from ({percent(found.share)}); {percent(allowed)} may be"
    advice = "; `thaw review` shows them"
    figures = {"compared": float(found.compared), "copies": float(found.copies), "share": found.share}
    return failed(GATE, words + advice, figures) if found.share > allowed else passed(GATE, words, figures)
