"""The report: one self-contained HTML page about a model, for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.figure import Figure

from thaw.dataset.ingest_report import IngestReport
from thaw.evaluation import openness_words, scrutiny_words
from thaw.evaluation.certificate.page import section_of
from thaw.evaluation.evaluation import Evaluation, top_confusions
from thaw.evaluation.figures import (
    Bar,
    ReliabilityAxes,
    accuracy_figure,
    class_figure,
    matrix_figure,
    openness_figure,
    reliability_figure,
    transfer_figure,
)
from thaw.evaluation.scrutiny_figures import MOST_PANELS, coverage_figure, roc_figure, slice_figure
from thaw.evaluation.slices import FEW
from thaw.evaluation.wording import WORDING, by_group, spoken, verdict_of
from thaw.foundation.files.display_names import in_sentence
from thaw.foundation.statistics.bootstrap import Estimate
from thaw.kinds.kind import Preview, Words
from thaw.pages.figures import svg
from thaw.pages.layout import percent, points, points_of, render
from thaw.targets.ranking import ClassRanking
from thaw.targets.target import Target

CONFUSIONS = 8
HALF, WHOLE = 4.8, 9.6
"""Inches of a figure beside another, and of one that has the page's width to itself."""


def titles_of(words: Words, target: Target) -> Mapping[str, str]:
    """The titles of the contenders on the page."""
    return {
        "frozen": "Frozen backbone, new head",
        "scratch": "The same network from scratch",
        "pixels": f"Linear model on {words.plain}",
        "random_backbone": "Random frozen backbone, new head",
        "majority": f"Always {target.constantly}",
    }


def _short_titles(words: Words) -> Mapping[str, str]:
    """Short titles of the contenders, for the narrow columns of a figure."""
    return {"frozen": "transfer", "scratch": "scratch", "pixels": words.plain, "random_backbone": "random\nbackbone"}


@dataclass(frozen=True)
class Origin:
    """The origin of the model: `facts` are names and values for people, `parameters` are lines `key: value`."""

    title: str
    facts: tuple[tuple[str, str], ...]
    parameters: str


def render_report(
    evaluation: Evaluation,
    ingest: IngestReport,
    origin: Origin,
    previews: Mapping[bytes, Preview],
    words: Words,
    *,
    explained: Mapping[bytes, str] | None = None,
    legend: str | None = None,
) -> str:
    """The page as HTML. previews: by digest; a mistake may have none. words: of the kind. explained: the class for which a preview is marked, by digest.
    legend: of maps of where the network looked; None: there are none.

    Names of classes and files may hold any characters; the template escapes them.
    """
    wording = WORDING[evaluation.target]
    drawn = draw_figures(evaluation, words)
    values: dict[str, object] = {
        "evaluation": evaluation,
        "target": evaluation.judged_by,
        "wording": {name: spoken(text, words) for name, text in vars(wording).items() if isinstance(text, str)},
        "ingest": ingest,
        "origin": origin,
        "verdict": verdict(evaluation, words),
        "metrics": [(*titles, name, getattr(evaluation.metrics, name)) for name, titles in wording.metrics.items()],
        "gains": _gains(evaluation, words),
        "confusions": top_confusions(evaluation, CONFUSIONS) if wording.confusions else (),
        "figures": {name: Markup(svg(figure, name)) for name, figure in drawn.items()},  # noqa: S704  # matplotlib escapes its texts
        "previews": previews,
        "explained": explained or {},
        "legend": legend,
        "words": words,
        "score_titles": openness_words.TITLES,
        "openness_says": ()
        if evaluation.rejections is None
        else openness_words.describe(evaluation.rejections.tuning, words),
        "advice": advice(evaluation, ingest, words),
        "scrutiny": evaluation.scrutiny,
        "scrutiny_words": scrutiny_words,
        "scrutiny_panels": min(MOST_PANELS, len(_with_roc(evaluation))),
        "few": FEW,
        "by_group": by_group,
    }
    if evaluation.certificate is not None:
        values |= section_of(evaluation.certificate, words)
    return render("evaluation/report.html.j2", values)


def verdict(evaluation: Evaluation, words: Words) -> str:
    """The first sentence: the headline of the model beside a baseline."""
    sentence, target = verdict_of(evaluation, words), evaluation.judged_by
    scratch = [gain for gain in _gains(evaluation, words) if gain.over == "scratch"]
    if scratch:
        return (
            f"{sentence}; transfer is worth {points(scratch[0].interval)} over training the same network from scratch."
        )
    majority = [baseline for baseline in evaluation.baselines if baseline.name == "majority"]
    if majority:
        return f"{sentence}; always naming {target.constantly} would {target.would_reach(percent(majority[0].headline.value))}."
    return f"{sentence}."


@dataclass(frozen=True)
class GainRow:
    """A row of the table of gains: the gain of the frozen backbone over another way."""

    over: str
    title: str
    mean: float
    interval: Estimate
    helps: str


def _gains(evaluation: Evaluation, words: Words) -> tuple[GainRow, ...]:
    transfer = evaluation.transfer
    if transfer is None:
        return ()
    rows, titles = [], titles_of(words, evaluation.judged_by)
    for gain in transfer.gains:
        interval = transfer.interval(gain)
        helps = "helps" if interval.low > 0 else "hurts" if interval.high < 0 else "can't tell"
        rows.append(GainRow(gain.over, titles[gain.over], transfer.contender(gain.over).mean, interval, helps))
    return tuple(rows)


def draw_figures(evaluation: Evaluation, words: Words) -> dict[str, Figure]:
    """Every figure of the page, by name."""
    target, wording, transfer = evaluation.judged_by, WORDING[evaluation.target], evaluation.transfer
    share = target.share(f"test {words.many}")
    beside = transfer is not None and len(transfer.seeds) > 1
    axes = ReliabilityAxes(wording.confidence, wording.right, spoken(wording.counted, words))
    figures = {
        target.headline: accuracy_figure(headline_bars(evaluation, words), share, HALF if beside else WHOLE),
        wording.matrix_name: matrix_figure(
            evaluation.confusion, evaluation.of, evaluation.class_names, wording.columns
        ),
        "reliability": reliability_figure(evaluation.reliability, axes),
        "classes": class_figure(evaluation.classes),
    }
    if beside and transfer is not None:
        names = [_short_titles(words)[contender.name] for contender in transfer.contenders]
        figures["transfer"] = transfer_figure(transfer, names, share)
    if evaluation.rejections is not None:
        figures["openness"] = openness_figure(evaluation.rejections.tuning)
    return figures | _figures_of_scrutiny(evaluation, words)


def _figures_of_scrutiny(evaluation: Evaluation, words: Words) -> dict[str, Figure]:
    scrutiny, shown = evaluation.scrutiny, _with_roc(evaluation)
    if scrutiny is None:
        return {}
    figures = {"coverage": coverage_figure(scrutiny.selective, words.many)}
    if shown:
        figures["roc"] = roc_figure(shown)
    if scrutiny.slices:
        right = 1 - evaluation.wrong / evaluation.n
        figures["slices"] = slice_figure(scrutiny.slices, right, evaluation.judged_by.right)
    return figures


def _with_roc(evaluation: Evaluation) -> tuple[ClassRanking, ...]:
    ranking = () if evaluation.scrutiny is None else evaluation.scrutiny.ranking
    names = {evaluation.class_names[at] for at in evaluation.judged_by.curve_places(len(evaluation.class_names))}
    return tuple(each for each in ranking if each.name in names)  # classes without test rows have no ranking


def headline_bars(evaluation: Evaluation, words: Words) -> list[Bar]:
    """The model and the baselines that are measured once."""
    titles = titles_of(words, evaluation.judged_by)
    own = Bar("This model", evaluation.headline, model=True)
    return [own, *(Bar(titles[baseline.name], baseline.headline, model=False) for baseline in evaluation.baselines)]


def advice(evaluation: Evaluation, ingest: IngestReport, words: Words) -> tuple[str, ...]:
    """The proposals for the next steps, from the measurements."""
    sentences: list[str] = []
    width = evaluation.headline.high - evaluation.headline.low
    if width > 0.06:
        sentences.append(
            f"The interval is {points_of(width)} wide: with more test {words.many}, the report could tell more models apart."
        )
    known = [score for score in evaluation.classes if score.f1 is not None]
    worst = min(known, key=lambda score: score.f1 or 0.0, default=None)
    if worst is not None and (worst.f1 or 0) < evaluation.metrics.macro_f1.value - 0.05:
        sentences.append(
            f"The weakest class is “{in_sentence(worst.name)}”: label more of it, or look at its mistakes above."
        )
    sentences += advice_on_data(ingest, words)
    for row in _gains(evaluation, words):
        if row.helps != "helps":
            sentences.append(f"“{row.title}” is not shown to be worse: transfer may not pay here.")
    return tuple(sentences) or ("Nothing stands out. `thaw promote` compares it with the champion.",)


def advice_on_data(ingest: IngestReport, words: Words) -> list[str]:
    """The proposals that concern the data."""
    sentences: list[str] = []
    if ingest.unlabelled:
        sentences.append(
            f"{ingest.unlabelled} {words.many} have no label yet; their features are cached, so labelling them costs no compute."
        )
    if ingest.copies_conflicting:
        sentences.append(
            f"{ingest.copies_conflicting} sets of equal files carry different labels; they are left out of training."
        )
    if ingest.rejected:
        sentences.append(f"{ingest.rejected} files were rejected; data/ingest/rejected.csv says why.")
    return sentences


def figure_pngs(evaluation: Evaluation, words: Words) -> Sequence[tuple[str, bytes]]:
    """The figures as PNG, by name, for programs that cannot show a page."""
    from thaw.pages.figures import png

    return [(name, png(figure)) for name, figure in draw_figures(evaluation, words).items()]
