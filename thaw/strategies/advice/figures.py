"""Figures of the advice."""

import numpy as np
from matplotlib.figure import Figure

from thaw.foundation.files.display_names import shortened
from thaw.foundation.statistics.bootstrap import Estimate
from thaw.kinds.kind import Words
from thaw.pages.figures import BLUE, INK, MUTED, VERMILION, new_figure, percent_axis
from thaw.strategies.advice.cases import PLAIN, Reference
from thaw.strategies.advice.learning_curve import LearningCurve
from thaw.strategies.advice.record import Advice


def depth_figure(advice: Advice, examples: Words) -> Figure:
    """The headline of the linear probe at each cut layer, in order of depth, with intervals; features without pretraining are dashed if they were judged on the
    same examples. examples: the words for them."""
    figure, axes = new_figure(5.2, 3.6)
    places = np.arange(len(advice.layers))
    values = [layer.accuracy for layer in advice.layers]
    axes.plot(places, [value.value for value in values], color=BLUE, linewidth=1.2)
    for place, value in zip(places, values, strict=True):
        axes.plot([place, place], [value.low, value.high], color=BLUE, linewidth=3, alpha=0.45)
        axes.plot(place, value.value, "o", color=BLUE, markersize=6)
        axes.annotate(
            f"{100 * value.value:.1f}%",
            (float(place), value.value),
            (7, -10),
            textcoords="offset points",
            fontsize=8,
            color=INK,
        )
    references = references_on_all(advice)
    for rank, reference in enumerate(sorted(references, key=lambda reference: reference.accuracy.value)):
        axes.axhline(reference.accuracy.value, color=VERMILION, linestyle="--", linewidth=1)
        name = examples.plain if reference.name == PLAIN else "random backbone"
        axes.annotate(
            name, (len(places) - 0.55, reference.accuracy.value), (0, 3 if rank else -10), textcoords="offset points",
            ha="right", fontsize=8, color=VERMILION,
        )  # fmt: skip
    axes.set_xticks(
        places,
        [shortened(layer.name, 18) for layer in advice.layers],
        fontsize=8,
        parse_math=False,
        rotation=20,
        ha="right",
    )
    axes.set_xlim(-0.4, len(places) - 0.45)
    _percent_around(figure, [*values, *(reference.accuracy for reference in references)])
    axes.set_xlabel("cut layer, shallow to deep", color=INK)
    axes.set_ylabel(advice.judged_by.share(examples.many), color=INK)
    return figure


def references_on_all(advice: Advice) -> tuple[Reference, ...]:
    """Features without pretraining; empty if they were judged on a sample of the examples that judged the layers."""
    comparison = advice.comparison
    return comparison.references if comparison is not None and comparison.rows == advice.evidence.rows else ()


def curve_figure(curve: LearningCurve, share: str) -> Figure:
    """The headline (axis `share`) against labels a class, on a logarithmic scale; beyond the measured range the power law and its intervals."""
    figure, axes = new_figure(5.2, 3.6)
    for point in curve.points:
        axes.plot([point.labels] * 2, [point.accuracy.low, point.accuracy.high], color=BLUE, linewidth=3, alpha=0.45)
        axes.plot(point.labels, point.accuracy.value, "o", color=BLUE, markersize=6)
    ends = [point.labels for point in curve.points]
    if curve.unlearnt is not None:
        none = ends[0] / 2
        start = curve.unlearnt.accuracy
        axes.plot([none] * 2, [start.low, start.high], color=BLUE, linewidth=3, alpha=0.45)
        axes.plot(none, start.value, "s", color=BLUE, markersize=6)
        axes.axhline(start.value, color=BLUE, linestyle=":", linewidth=1)
        axes.annotate("zero-shot", (none, start.value), (8, 4), textcoords="offset points", fontsize=8, color=INK)
        ends.insert(0, none)
    if curve.law is not None and curve.prospects:
        ends.append(curve.prospects[-1].labels)
        along = np.geomspace(curve.points[0].labels, ends[-1], 60)
        axes.plot(along, [curve.law.accuracy(labels) for labels in along], color=MUTED, linestyle="--", linewidth=1)
        for prospect in curve.prospects:
            value = prospect.accuracy
            axes.plot([prospect.labels] * 2, [value.low, value.high], color=VERMILION, linewidth=3, alpha=0.45)
            axes.plot(prospect.labels, value.value, "D", color=VERMILION, markersize=6)
            axes.annotate(
                f"{prospect.times} times", (prospect.labels, value.low), (0, -11), textcoords="offset points", ha="center", fontsize=8, color=INK
            )  # fmt: skip
    axes.set_xscale("log")
    ticks = sorted({round(value) if value >= 1.5 else round(value, 1) for value in ends})
    names = [f"{tick:g}" for tick in ticks]
    if curve.unlearnt is not None:
        ticks[0], names[0] = ends[0], "0"
    axes.set_xticks(ticks, names, fontsize=8)
    axes.minorticks_off()
    axes.set_xlim(ends[0] / 1.25, ends[-1] * 1.25)
    begun = [] if curve.unlearnt is None else [curve.unlearnt.accuracy]
    measured = [*begun, *(point.accuracy for point in curve.points)]
    _percent_around(figure, [*measured, *(prospect.accuracy for prospect in curve.prospects)])
    axes.set_xlabel("labels a class", color=INK)
    axes.set_ylabel(share, color=INK)
    return figure


def _percent_around(figure: Figure, values: list[Estimate]) -> None:
    low, high = min(value.low for value in values), max(value.high for value in values)
    reach = max(0.02, 0.12 * (high - low))
    percent_axis(figure.axes[0], "y", max(0.0, low - reach), min(1.0 + reach / 4, high + reach))
