"""The report on a model that names label sets: the page of `thaw.evaluation.report`, with what applies."""

from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from thaw.dataset.ingest_report import IngestReport
from thaw.evaluation.figures import (
    Bar,
    ReliabilityAxes,
    accuracy_figure,
    class_figure,
    matrix_figure,
    reliability_figure,
)
from thaw.evaluation.label_sets_evaluation import LabelSetEvaluation
from thaw.evaluation.report import Origin, advice_on_data, titles_of
from thaw.foundation.files.display_names import shown
from thaw.kinds.kind import Preview, Words
from thaw.pages.figures import png, svg
from thaw.pages.layout import percent, points_of, render
from thaw.strategies.baselines.learners import MAJORITY
from thaw.targets.one_label.metrics import ClassScore

METRIC_TITLES: Mapping[str, tuple[str, str]] = {
    "macro_f1": ("Macro F1", "the mean over classes of F1, which punishes wrong finds and missed ones alike"),
    "micro_f1": ("Micro F1", "F1 over all labels alike: frequent classes count more"),
    "mean_average_precision": ("Mean average precision", "how well examples with a class rank above those without"),
    "exact_match": ("Exact match", "share of tests whose whole set of labels is right"),
    "hamming_loss": ("Hamming loss", "share of yes-or-no decisions that are wrong; less is better"),
    "log_loss": ("Log loss", "how surprised the model is by a decision; less is better"),
    "ece": ("Calibration error", "how far probabilities and frequencies lie apart; less is better"),
}
_RELIABILITY = ReliabilityAxes("probability", "share that shows the class", "decisions")


def render_set_report(
    evaluation: LabelSetEvaluation,
    ingest: IngestReport,
    origin: Origin,
    previews: Mapping[bytes, Preview],
    words: Words,
) -> str:
    """The page as HTML. previews: by digest; mistakes without one are shown without. words: how examples are called."""
    values: dict[str, object] = {
        "evaluation": evaluation,
        "ingest": ingest,
        "origin": origin,
        "verdict": verdict(evaluation, words),
        "metrics": [(*METRIC_TITLES[name], name, getattr(evaluation.metrics, name)) for name in METRIC_TITLES],
        "scores": list(zip(evaluation.classes, evaluation.thresholds, strict=True)),
        "figures": {name: Markup(svg(figure, name)) for name, figure in draw_set_figures(evaluation, words).items()},  # noqa: S704  # matplotlib escapes its texts
        "previews": previews,
        "words": words,
        "left_out": [_titles_of(words)[name].lower() for name in evaluation.left_out],
        "advice": advice(evaluation, ingest, words),
    }
    return render("evaluation/label_sets_report.html.j2", values)


def _titles_of(words: Words) -> Mapping[str, str]:
    return {**titles_of(words), "majority": "Always every label"}


def verdict(evaluation: LabelSetEvaluation, words: Words) -> str:
    """The first sentence: how well the labels are found, and against what that stands."""
    f1, exact = evaluation.metrics.macro_f1, evaluation.metrics.exact_match
    sentence = (
        f"The model finds the labels of {evaluation.n} test {words.many} with a macro F1 of {percent(f1.value)} "
        f"({percent(evaluation.confidence)} interval {percent(f1.low)} to {percent(f1.high)}); "
        f"all labels are right on {percent(exact.value)} of them"
    )
    majority = [one for one in evaluation.baselines if one.name == MAJORITY]
    if majority:
        return f"{sentence}. Always naming every label would reach {percent(majority[0].metrics.macro_f1.value)}."
    return f"{sentence}."


def draw_set_figures(evaluation: LabelSetEvaluation, words: Words) -> dict[str, Figure]:
    """Every figure of the page, by name."""
    bars = [Bar("This model", evaluation.metrics.macro_f1, model=True)]
    bars += [Bar(_titles_of(words)[one.name], one.metrics.macro_f1, model=False) for one in evaluation.baselines]
    share = evaluation.found / np.maximum(evaluation.of, 1)
    return {
        "macro_f1": accuracy_figure(bars, "macro F1"),
        "beside": matrix_figure(evaluation.found, share, evaluation.class_names, "named"),
        "reliability": reliability_figure(evaluation.reliability, _RELIABILITY),
        "classes": class_figure(
            [
                ClassScore(one.name, one.n, one.predicted, one.precision, one.recall, one.f1)
                for one in evaluation.classes
            ]
        ),
    }


def set_figure_pngs(evaluation: LabelSetEvaluation, words: Words) -> Sequence[tuple[str, bytes]]:
    """The same figures as PNG, by name."""
    return [(name, png(figure)) for name, figure in draw_set_figures(evaluation, words).items()]


def advice(evaluation: LabelSetEvaluation, ingest: IngestReport, words: Words) -> tuple[str, ...]:
    """What to do next, in plain words, from what was measured."""
    said: list[str] = []
    f1 = evaluation.metrics.macro_f1
    if f1.high - f1.low > 0.06:
        said.append(
            f"The interval is {points_of(f1.high - f1.low)} wide: more test {words.many} would tell models apart that this report cannot."
        )
    known = [score for score in evaluation.classes if score.f1 is not None]
    worst = min(known, key=lambda score: score.f1 or 0.0, default=None)
    if worst is not None and (worst.f1 or 0) < f1.value - 0.05:
        said.append(
            f"The weakest class is “{shown(worst.name)}”: label more {words.many} of it, or look at the mistakes below."
        )
    said += advice_on_data(ingest, words)
    for one in evaluation.baselines:
        if one.metrics.macro_f1.high >= f1.low:
            said.append(
                f"“{_titles_of(words)[one.name]}” is not shown to be worse: transfer from this layer may not pay here; "
                "try an earlier one with strategy.kind=cut and strategy.layer, or another backbone."
            )
    return tuple(said) or ("Nothing stands out. `thaw promote` compares it with the champion.",)
