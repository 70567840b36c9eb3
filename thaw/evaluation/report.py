"""The report: one self-contained HTML page about a model, made to be read by people."""

import base64
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
from thaw.pages.figures import svg
from thaw.pages.layout import percent, points, points_of, render

TITLES: Mapping[str, str] = {
    "frozen": "Frozen backbone, new head",
    "scratch": "The same network from scratch",
    "pixels": "Linear model on raw pixels",
    "random_backbone": "Random frozen backbone, new head",
    "majority": "Always the most frequent class",
}
"""What the contenders are called on the page."""
SHORT_TITLES: Mapping[str, str] = {
    "frozen": "transfer",
    "scratch": "scratch",
    "pixels": "raw pixels",
    "random_backbone": "random\nbackbone",
}
"""The same, for the narrow columns of a figure."""
METRIC_TITLES: Mapping[str, tuple[str, str]] = {
    "accuracy": ("Accuracy", "share of test images that are right"),
    "balanced_accuracy": ("Balanced accuracy", "the mean over classes of the share that is right"),
    "macro_f1": ("Macro F1", "the mean over classes of F1, which punishes wrong finds and missed ones alike"),
    "log_loss": ("Log loss", "how surprised the model is by the labels; less is better"),
    "ece": ("Calibration error", "how far confidence and accuracy lie apart; less is better"),
}
CONFUSIONS = 8


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
    thumbnails: Mapping[bytes, bytes],
) -> str:
    """The page as HTML. thumbnails: PNG bytes by digest; mistakes without one are shown without a picture.

    Names of classes and files may hold anything: the template escapes all of them.
    """
    pictures = {digest: f"data:image/png;base64,{base64.b64encode(png).decode()}" for digest, png in thumbnails.items()}
    values: dict[str, object] = {
        "evaluation": evaluation,
        "ingest": ingest,
        "origin": origin,
        "verdict": verdict(evaluation),
        "metrics": [(*METRIC_TITLES[name], name, getattr(evaluation.metrics, name)) for name in METRIC_TITLES],
        "gains": _gains(evaluation),
        "confusions": top_confusions(evaluation, CONFUSIONS),
        "figures": draw_figures(evaluation),
        "pictures": pictures,
        "titles": TITLES,
        "score_titles": openness_words.TITLES,
        "openness_says": () if evaluation.rejections is None else openness_words.describe(evaluation.rejections.tuning),
        "advice": advice(evaluation, ingest),
    }
    if evaluation.certificate is not None:
        values |= section_of(evaluation.certificate)
    return render("evaluation/report.html.j2", values)


def verdict(evaluation: Evaluation) -> str:
    """The first sentence: how often the model is right, and against what that stands."""
    accuracy = evaluation.metrics.accuracy
    sentence = (
        f"The model is right on {percent(accuracy.value)} of {evaluation.n} test images "
        f"({percent(evaluation.confidence)} interval {percent(accuracy.low)} to {percent(accuracy.high)})"
    )
    scratch = [gain for gain in _gains(evaluation) if gain.over == "scratch"]
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


def _gains(evaluation: Evaluation) -> tuple[GainRow, ...]:
    transfer = evaluation.transfer
    if transfer is None:
        return ()
    rows = []
    for gain in transfer.gains:
        interval = transfer.interval(gain)
        helps = "helps" if interval.low > 0 else "hurts" if interval.high < 0 else "can't tell"
        rows.append(GainRow(gain.over, TITLES[gain.over], transfer.contender(gain.over).mean, interval, helps))
    return tuple(rows)


def draw_figures(evaluation: Evaluation) -> Figures:
    """Every figure of the page."""
    transfer = evaluation.transfer
    rejections = evaluation.rejections
    drawn = None
    if transfer is not None and len(transfer.seeds) > 1:
        names = [SHORT_TITLES[contender.name] for contender in transfer.contenders]
        drawn = Markup(svg(transfer_figure(transfer, names), "transfer"))  # noqa: S704  # matplotlib escapes its texts
    return Figures(
        accuracy=Markup(svg(accuracy_figure(accuracy_bars(evaluation)), "accuracy")),  # noqa: S704
        confusion=Markup(svg(confusion_figure(evaluation.confusion, evaluation.class_names), "confusion")),  # noqa: S704
        reliability=Markup(svg(reliability_figure(evaluation.reliability), "reliability")),  # noqa: S704
        classes=Markup(svg(class_figure(evaluation.classes), "classes")),  # noqa: S704
        transfer=drawn,
        openness=None if rejections is None else Markup(svg(openness_figure(rejections.tuning), "openness")),  # noqa: S704
    )


def accuracy_bars(evaluation: Evaluation) -> list[Bar]:
    """The model and the baselines that are measured once."""
    own = Bar("This model", evaluation.metrics.accuracy, model=True)
    return [own, *(Bar(TITLES[one.name], one.metrics.accuracy, model=False) for one in evaluation.baselines)]


def advice(evaluation: Evaluation, ingest: IngestReport) -> tuple[str, ...]:
    """What to do next, in plain words, from what was measured."""
    said: list[str] = []
    width = evaluation.metrics.accuracy.high - evaluation.metrics.accuracy.low
    if width > 0.06:
        said.append(
            f"The interval is {points_of(width)} wide: more test images would tell models apart that this report cannot."
        )
    known = [score for score in evaluation.classes if score.f1 is not None]
    worst = min(known, key=lambda score: score.f1 or 0.0, default=None)
    if worst is not None and (worst.f1 or 0) < evaluation.metrics.macro_f1.value - 0.05:
        said.append(f"The weakest class is “{shown(worst.name)}”: label more of it, or look at its mistakes below.")
    said += advice_on_data(ingest)
    for row in _gains(evaluation):
        if row.helps != "helps":
            said.append(f"“{row.title}” is not shown to be worse: transfer may not pay here.")
    return tuple(said) or ("Nothing stands out. `thaw promote` compares it with the champion.",)


def advice_on_data(ingest: IngestReport) -> list[str]:
    """What the data themselves ask for."""
    said: list[str] = []
    if ingest.unlabelled:
        said.append(
            f"{ingest.unlabelled} images have no label yet; their features are cached, so labelling them costs no compute."
        )
    if ingest.copies_conflicting:
        said.append(
            f"{ingest.copies_conflicting} sets of equal files carry different labels; they are left out of training."
        )
    if ingest.rejected:
        said.append(f"{ingest.rejected} files were rejected; data/ingest/rejected.csv says why.")
    return said


def figure_pngs(evaluation: Evaluation) -> Sequence[tuple[str, bytes]]:
    """The same figures as PNG, by name: for what cannot show a page."""
    from thaw.pages.figures import png

    found = [
        ("accuracy", png(accuracy_figure(accuracy_bars(evaluation)))),
        ("confusion", png(confusion_figure(evaluation.confusion, evaluation.class_names))),
        ("reliability", png(reliability_figure(evaluation.reliability))),
        ("classes", png(class_figure(evaluation.classes))),
    ]
    transfer = evaluation.transfer
    if transfer is not None and len(transfer.seeds) > 1:
        names = [SHORT_TITLES[contender.name] for contender in transfer.contenders]
        found.append(("transfer", png(transfer_figure(transfer, names))))
    if evaluation.rejections is not None:
        found.append(("openness", png(openness_figure(evaluation.rejections.tuning))))
    return found
