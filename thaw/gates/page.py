"""The decision as one self-contained HTML page."""

from dataclasses import dataclass

from thaw.gates.deciding import Decision
from thaw.gates.outcome import Outcome, Verdict
from thaw.pages.layout import render

_LOOKS = {Verdict.PASS: "helps", Verdict.FAIL: "hurts", Verdict.CANNOT_TELL: "soft", Verdict.NOT_ASKED: "soft"}


@dataclass(frozen=True)
class Contest:
    """The version of the model `name` that was judged, the champion at that time (None: there was none), and the time (UTC, ISO 8601)."""

    name: str
    challenger: int
    champion: int | None
    when: str


def render_decision(decision: Decision, contest: Contest) -> str:
    """The page as HTML."""
    return render(
        "gates/page.html.j2",
        {
            "contest": contest,
            "verdict": verdict(decision, contest),
            "decision": decision,
            "figures": decision.figures,
            "look": look,
            "counts": [(word, sum(outcome.verdict is word for outcome in decision.outcomes)) for word in Verdict],
        },
    )


def verdict(decision: Decision, contest: Contest) -> str:
    """The first sentence of the page."""
    over = "there was no champion" if contest.champion is None else f"the champion was version {contest.champion}"
    if decision.promote:
        return f"Version {contest.challenger} may become the champion: no gate refuses; {over}."
    refusing = [outcome.gate for outcome in decision.outcomes if outcome.refuses]
    return f"Version {contest.challenger} stays the challenger, refused by {', '.join(refusing)}; {over}."


def look(outcome: Outcome) -> str:
    """The class of the page's style that shows an outcome."""
    return "hurts" if outcome.refuses else _LOOKS[outcome.verdict]
