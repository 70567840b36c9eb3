"""The ranking of backbones as one self-contained HTML page."""

from markupsafe import Markup

from thaw.evaluation.backbone_ranking import words
from thaw.evaluation.backbone_ranking.figures import front_figure
from thaw.kinds.kind import Words
from thaw.pages.figures import svg
from thaw.pages.layout import render
from thaw.strategies.backbone_ranking import Ranking


def render_ranking(ranking: Ranking, title: str, examples: Words) -> str:
    """The page as HTML. examples: the words for them."""
    values = {
        "title": title,
        "ranking": ranking,
        "examples": examples,
        "verdict": words.verdict(ranking),
        "undecided": words.undecided(ranking),
        "how": words.how(ranking),
        "columns": words.columns(ranking, examples),
        "rows": words.rows(ranking),
        "figure": Markup(svg(front_figure(ranking, examples), "front")),  # noqa: S704  # matplotlib escapes its texts
    }
    return render("evaluation/backbone_ranking/page.html.j2", values)
