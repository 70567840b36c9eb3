"""The drift report as one self-contained HTML page."""

from collections.abc import Sequence

from markupsafe import Markup
from matplotlib.figure import Figure

from thaw.drift import words
from thaw.drift.figures import histogram_figure, history_figure, labels_figure, neither_figure
from thaw.drift.record import DriftReport, Point
from thaw.pages.figures import svg
from thaw.pages.layout import render


def render_drift(report: DriftReport, history: Sequence[Point]) -> str:
    """The page as HTML. history: the batches of the same version so far, with this batch.

    Names of classes may hold any characters; the template escapes them.
    """
    values = {
        "report": report,
        "verdict": words.verdict(report),
        "lines": words.lines(report),
        "remarks": words.remarks(report),
        "next_steps": (*words.next_steps(report), words.RETRAIN) if report.drifted else (),
        "titles": words.TITLES,
        "tests": words.TESTS,
        "p": words.p,
        "history": history,
        "figures": [(caption, _drawn(figure, name)) for name, caption, figure in _figures(report, history)],
    }
    return render("drift/page.html.j2", values)


def _drawn(figure: Figure, name: str) -> Markup:
    return Markup(svg(figure, f"drift-{name}"))  # noqa: S704  # matplotlib escapes its texts


def _figures(report: DriftReport, history: Sequence[Point]) -> list[tuple[str, str, Figure]]:
    """Name, caption and figure of every part of the report that has values."""
    figures = []
    if report.separation is not None:
        caption = "How new each example looks to a linear classifier that did not learn from it. The further the curves lie apart, the more they differ."
        figures.append(
            ("separation", caption, histogram_figure(report.separation.scores, "looks held-out … looks new"))
        )
    if report.confidence is not None:
        caption = "The probability of the most probable class."
        figures.append(("confidence", caption, histogram_figure(report.confidence.spread, "confidence")))
    if report.labels:
        caption = "The share of examples for which each class is named, the largest shift first."
        figures.append(("labels", caption, labels_figure(report.labels)))
    if any(point.p_value is not None for point in history):
        caption = "The batches of this version so far. Drift was found in those below the dashed line."
        figures.append(("history", caption, history_figure(history, report.false_alarms)))
    if report.neither is not None and any(point.neither is not None for point in history):
        caption = (
            "The share of examples that the model answered with `neither`. The share of the test examples is dashed."
        )
        figures.append(("neither", caption, neither_figure(history, report.neither.reference.value)))
    return figures
