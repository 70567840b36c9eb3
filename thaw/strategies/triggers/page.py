"""The advice on triggers as one self-contained HTML page."""

from thaw.pages.layout import render
from thaw.strategies.triggers.record import TriggerAdvice, heading, rows_of, verdict


def render_trigger_advice(advice: TriggerAdvice, title: str) -> str:
    """The page as HTML; names of words may hold any characters, and the template escapes them."""
    values = {"title": title, "verdict": verdict(advice), "heading": heading(advice), "rows": rows_of(advice)}
    return render("strategies/triggers/page.html.j2", values)
