"""The report: one self-contained HTML page about a model, made to be read by people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from thaw.dataset.ingest_report import IngestReport
from thaw.evaluation import openness_words
from thaw.evaluation.certificate.page import section_of
from thaw.evaluation.evaluation import Evaluation, top_confusions
from thaw.evaluation.figures import (
    Bar,
    accuracy_figure,
    class_figure,
    confusion_figure,
    openness_figure,
    reliability_figure,
    transfer_figure,
)
from thaw.foundation.files.display_names import shown
from thaw.foundation.statistics.bootstrap import Estimate
from thaw.kinds.kind import Preview, Words
from thaw.pages.figures import svg
from thaw.pages.layout import percent, points, points_of, render

METRIC_TITLES: Mapping[str, tuple[str, str]] = {
    "accuracy": ("Accuracy", "share of tests that are right"),
    "balanced_accuracy": ("Balanced accuracy", "the mean over classes of the share that is right"),
    "macro_f1": ("Macro F1", "the mean over classes of F1, which punishes wrong finds and missed ones alike"),
    "log_loss": ("Log loss", "how surprised the model is by the labels; less is better"),
    "ece": ("Calibration error", "how far confidence and accuracy lie apart; less is better"),
}
CONFUSIONS = 8


def titles_of(words: Words) -> Mapping[str, str]:
    """What the contenders are called on the page."""
    return {
        "frozen": "Frozen backbone, new head",
        "scratch": "The same network from scratch",
        "pixels": f"Linear model on {words.plain}",
        "random_backbone": "Random frozen backbone, new head",
        "majority": "Always the most frequent class",
    }


def _short_titles(words: Words) -> Mapping[str, str]:
    """The same, for the narrow columns of a figure."""
    return {"frozen": "transfer", "scratch": "scratch", "pixels": words.plain, "random_backbone": "random\nbackbone"}


@dataclass(frozen=True)
class Origin:
    """Where the model comes from: `facts` are names and values for people; `parameters` are lines `key: value`."""

    title: str
    facts: tuple[tuple[str, str], ...]
    parameters: str


@dataclass(frozen=True)
class Figures:
    """SVG elements, None where there is nothing to draw."""

    accuracy: Markup
    confusion: Markup
    reliability: Markup
    classes: Markup
    transfer: Markup | None
    openness: Markup | None


def render_report(
    evaluation: Evaluation,
    ingest: IngestReport,
    origin: Origin,
    previews: Mapping[bytes, Preview],
    words: Words,
) -> str:
    """The page as HTML. previews: by digest; mistakes without one are shown without. words: how examples are called.

    Names of classes and files may hold anything: the template escapes all of them.
    """
    values: dict[str, object] = {
        "evaluation": evaluation,
        "ingest": ingest,
        "origin": origin,
        "verdict": verdict(evaluation, words),
        "metrics": [(*METRIC_TITLES[name], name, getattr(evaluation.metrics, name)) for name in METRIC_TITLES],
        "gains": _gains(evaluation, words),
        "confusions": top_confusions(evaluation, CONFUSIONS),
        "figures": draw_figures(evaluation, words),
        "previews": previews,
        "words": words,
        "titles": titles_of(words),
        "score_titles": openness_words.TITLES,
        "openness_says": () if evaluation.rejections is None else openness_words.describe(evaluation.rejections.tuning),
        "advice": advice(evaluation, ingest, words),
    }
    if evaluation.certificate is not None:
        values |= section_of(evaluation.certificate)
    return render("evaluation/report.html.j2", values)


def verdict(evaluation: Evaluation, words: Words) -> str:
    """The first sentence: how often the model is right, and against what that stands."""
    accuracy = evaluation.metrics.accuracy
    sentence = (
        f"The model is right on {percent(accuracy.value)} of {evaluation.n} test {words.many} "
        f"({percent(evaluation.confidence)} interval {percent(accuracy.low)} to {percent(accuracy.high)})"
    )
    scratch = [gain for gain in _gains(evaluation, words) if gain.over == "scratch"]
    if scratch:
        return (
            f"{sentence}; transfer is worth {points(scratch[0].interval)} over training the same network from scratch."
        )
    majority = [baseline for baseline in evaluation.baselines if baseline.name == "majority"]
    if majority:
        return f"{sentence}; always naming the most frequent class would be right on {percent(majority[0].metrics.accuracy.value)}."
    return f"{sentence}."


@dataclass(frozen=True)
class GainRow:
    """What the frozen backbone gains over another way, as the table shows it."""

    over: str
    title: str
    mean: float
    interval: Estimate
    helps: str


def _gains(evaluation: Evaluation, words: Words) -> tuple[GainRow, ...]:
    transfer = evaluation.transfer
    if transfer is None:
        return ()
    rows, titles = [], titles_of(words)
    for gain in transfer.gains:
        interval = transfer.interval(gain)
        helps = "helps" if interval.low > 0 else "hurts" if interval.high < 0 else "can't tell"
        rows.append(GainRow(gain.over, titles[gain.over], transfer.contender(gain.over).mean, interval, helps))
    return tuple(rows)


def draw_figures(evaluation: Evaluation, words: Words) -> Figures:
    """Every figure of the page."""
    transfer = evaluation.transfer
    rejections = evaluation.rejections
    drawn = None
    if transfer is not None and len(transfer.seeds) > 1:
        names = [_short_titles(words)[contender.name] for contender in transfer.contenders]
        drawn = Markup(svg(transfer_figure(transfer, names), "transfer"))  # noqa: S704  # matplotlib escapes its texts
    return Figures(
        accuracy=Markup(svg(accuracy_figure(accuracy_bars(evaluation, words)), "accuracy")),  # noqa: S704
        confusion=Markup(svg(confusion_figure(evaluation.confusion, evaluation.class_names), "confusion")),  # noqa: S704
        reliability=Markup(svg(reliability_figure(evaluation.reliability), "reliability")),  # noqa: S704
        classes=Markup(svg(class_figure(evaluation.classes), "classes")),  # noqa: S704
        transfer=drawn,
        openness=None if rejections is None else Markup(svg(openness_figure(rejections.tuning), "openness")),  # noqa: S704
    )


def accuracy_bars(evaluation: Evaluation, words: Words) -> list[Bar]:
    """The model and the baselines that are measured once."""
    own, titles = Bar("This model", evaluation.metrics.accuracy, model=True), titles_of(words)
    return [own, *(Bar(titles[one.name], one.metrics.accuracy, model=False) for one in evaluation.baselines)]


def advice(evaluation: Evaluation, ingest: IngestReport, words: Words) -> tuple[str, ...]:
    """What to do next, in plain words, from what was measured."""
    said: list[str] = []
    width = evaluation.metrics.accuracy.high - evaluation.metrics.accuracy.low
    if width > 0.06:
        said.append(
            f"The interval is {points_of(width)} wide: more test {words.many} would tell models apart that this report cannot."
        )
    known = [score for score in evaluation.classes if score.f1 is not None]
    worst = min(known, key=lambda score: score.f1 or 0.0, default=None)
    if worst is not None and (worst.f1 or 0) < evaluation.metrics.macro_f1.value - 0.05:
        said.append(f"The weakest class is “{shown(worst.name)}”: label more of it, or look at its mistakes below.")
    said += advice_on_data(ingest, words)
    for row in _gains(evaluation, words):
        if row.helps != "helps":
            said.append(f"“{row.title}” is not shown to be worse: transfer may not pay here.")
    return tuple(said) or ("Nothing stands out. `thaw promote` compares it with the champion.",)


def advice_on_data(ingest: IngestReport, words: Words) -> list[str]:
    """What the data themselves ask for."""
    said: list[str] = []
    if ingest.unlabelled:
        said.append(
            f"{ingest.unlabelled} {words.many} have no label yet; their features are cached, so labelling them costs no compute."
        )
    if ingest.copies_conflicting:
        said.append(
            f"{ingest.copies_conflicting} sets of equal files carry different labels; they are left out of training."
        )
    if ingest.rejected:
        said.append(f"{ingest.rejected} files were rejected; data/ingest/rejected.csv says why.")
    return said


def figure_pngs(evaluation: Evaluation, words: Words) -> Sequence[tuple[str, bytes]]:
    """The same figures as PNG, by name: for what cannot show a page."""
    from thaw.pages.figures import png

    found = [
        ("accuracy", png(accuracy_figure(accuracy_bars(evaluation, words)))),
        ("confusion", png(confusion_figure(evaluation.confusion, evaluation.class_names))),
        ("reliability", png(reliability_figure(evaluation.reliability))),
        ("classes", png(class_figure(evaluation.classes))),
    ]
    transfer = evaluation.transfer
    if transfer is not None and len(transfer.seeds) > 1:
        names = [_short_titles(words)[contender.name] for contender in transfer.contenders]
        found.append(("transfer", png(transfer_figure(transfer, names))))
    if evaluation.rejections is not None:
        found.append(("openness", png(openness_figure(evaluation.rejections.tuning))))
    return found
