"""The advice as one self-contained HTML page, with the plain words first."""

from collections.abc import Sequence

from markupsafe import Markup

from thaw.kinds.kind import Words
from thaw.pages.figures import png, svg
from thaw.pages.layout import render
from thaw.strategies.advice import words
from thaw.strategies.advice.cases import PLAIN, RANDOM_BACKBONE
from thaw.strategies.advice.curve_words import prospects
from thaw.strategies.advice.figures import curve_figure, depth_figure, references_on_all
from thaw.strategies.advice.record import Advice


def render_advice(advice: Advice, title: str, examples: Words) -> str:
    """The page as HTML. examples: the words for them. Names of layers and classes may hold any characters, and the template escapes them."""
    curve = advice.curve
    values = {
        "title": title,
        "measure": advice.judged_by.title,
        "capital": words.capital(advice.judged_by.title),
        "advice": advice,
        "examples": examples,
        "verdict": words.verdict(advice),
        "paragraphs": words.paragraphs_of(advice, examples)[1:],
        "case": words.the_case(advice, examples),
        "prospects": prospects(advice, examples),
        "options": words.option_rows(advice, examples),
        "steps": words.next_steps(advice, examples),
        "depth": _svg("depth", advice, examples) if advice.layers else None,
        "curve": _svg("curve", advice, examples) if curve is not None and curve.points else None,
        "reference_titles": {
            PLAIN: examples.plain,
            RANDOM_BACKBONE: "features of the same network with random weights",
        },
        "compared_on": words.compared_on(advice, examples),
        "with_references": bool(references_on_all(advice)),
    }
    return render("strategies/advice/page.html.j2", values)


def figure_pngs(advice: Advice, examples: Words) -> Sequence[tuple[str, bytes]]:
    """The page's figures as PNG, by name."""
    figures = []
    if advice.layers:
        figures.append(("depth", png(depth_figure(advice, examples))))
    if advice.curve is not None and advice.curve.points:
        figures.append(("curve", png(curve_figure(advice.curve, advice.judged_by.share(examples.many)))))
    return figures


def _svg(name: str, advice: Advice, examples: Words) -> Markup:
    if name == "depth":
        return Markup(svg(depth_figure(advice, examples), name))  # noqa: S704  # matplotlib escapes its texts
    assert advice.curve is not None
    return Markup(svg(curve_figure(advice.curve, advice.judged_by.share(examples.many)), name))  # noqa: S704
