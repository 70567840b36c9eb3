"""The decision as one self-contained HTML page."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from thaw.gates.changed import Change
from thaw.gates.deciding import Comparison, Decision
from thaw.gates.outcome import Outcome, Verdict
from thaw.kinds.kind import Preview
from thaw.pages.layout import render

_LOOKS = {Verdict.PASS: "helps", Verdict.FAIL: "hurts", Verdict.CANNOT_TELL: "soft", Verdict.NOT_ASKED: "soft"}


@dataclass(frozen=True)
class Contest:
    """The version of the model `name` that was judged, the champion at that time (None: there was none), and the time (UTC, ISO 8601).

    anchor: the best champion so far; None: there is none. override: the reason of a person who overrides the gates, with that person's name; "" if nobody does.
    """

    name: str
    challenger: int
    champion: int | None
    when: str
    anchor: int | None = None
    override: str = ""


def render_decision(
    decision: Decision, contest: Contest, previews: Mapping[bytes, Preview] = MappingProxyType({})
) -> str:
    """The page as HTML. previews: of the changed examples, by digest; an example may have none."""
    return render(
        "gates/page.html.j2",
        {
            "contest": contest,
            "verdict": verdict(decision, contest),
            "decision": decision,
            "figures": decision.figures,
            "comparison": decision.comparison,
            "look": look,
            "sorts": sorts_of(decision.comparison),
            "previews": previews,
            "life": life,
            "counts": [(word, sum(outcome.verdict is word for outcome in decision.outcomes)) for word in Verdict],
        },
    )


def sorts_of(comparison: Comparison | None) -> list[tuple[str, int, tuple[Change, ...]]]:
    """The sorts of changed answers: a title, the number of examples, and those that are shown."""
    if comparison is None:
        return []
    changes = comparison.changes
    titles = (
        "Wrong now: the champion alone is right",
        "Right now: the challenger alone is right",
        "Wrong in another way",
    )
    return list(zip(titles, changes.counts, (changes.lost, changes.gained, changes.other), strict=True))


def verdict(decision: Decision, contest: Contest) -> str:
    """The first sentence of the page."""
    over = "there was no champion" if contest.champion is None else f"the champion was version {contest.champion}"
    if decision.promote:
        return f"Version {contest.challenger} may become the champion: no gate refuses; {over}."
    refusing = ", ".join(outcome.gate for outcome in decision.refusing)
    if contest.override:
        return f"Version {contest.challenger} may become the champion, although {refusing} refused it: {contest.override}; {over}."
    return f"Version {contest.challenger} stays the challenger, refused by {refusing}; {over}."


def life(comparison: Comparison) -> str:
    """The wear of the test rows in words: the judgements so far, the evidence that is left, and when new test labels are due."""
    wear, left = comparison.wear, comparison.judgements_left
    before = f"{wear.judged:.0f} challengers" if round(wear.judged) != 1 else "1 challenger"
    due = (
        "New test labels are due now: a challenger that is as good may be refused."
        if not left
        else f"New test labels are due after about {left} more."
    )
    return (
        f"These {wear.rows} test rows have judged {before} before this one. They now tell as much as {wear.fresh_rows} rows that have judged none; "
        f"{100 * wear.left:.0f} % of the evidence is left. {due}"
    )


def look(outcome: Outcome) -> str:
    """The class of the page's style that shows an outcome."""
    return "hurts" if outcome.refuses else _LOOKS[outcome.verdict]
