"""The gate `leakage`: whether the model learnt from what it is measured with."""

from thaw.evaluation.checks import Leakage
from thaw.gates.outcome import Outcome, failed, not_asked_by, not_measured, passed

GATE = "leakage"


def leakage(found: Leakage | None, allowed: int | None) -> Outcome:
    """Refuses more images than `allowed` whose content or group is in val or test as well; what was not measured refuses, too."""
    if allowed is None:
        return not_asked_by(GATE, "max_leaked")
    if found is None:
        return not_measured(GATE, "report/checks.json")
    figures = {"learnt": float(found.learnt), "copies": float(found.copies), "groups": float(found.groups)}
    words = (
        f"of {found.learnt} images learnt from, {found.copies} are in val or test as well, and {found.groups} share a group with one there; "
        f"{allowed} may"
    )
    return (failed if found.copies + found.groups > allowed else passed)(GATE, words, figures)
