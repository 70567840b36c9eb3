"""Figures of a scrutiny: receiver operating characteristics, confidence against coverage, slices."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thaw.evaluation.selective import Selective
from thaw.evaluation.slices import SliceScore
from thaw.foundation.files.display_names import shortened
from thaw.pages.figures import BLUE, INK, MUTED, VERMILION, new_figure, percent_axis, plain
from thaw.targets.ranking import ClassRanking

MOST_PANELS = 12
"""The most classes of the receiver operating characteristics."""
_COLUMNS = 4
_NOT_STATED = "not stated"


def roc_figure(ranking: Sequence[ClassRanking]) -> Figure:
    """A panel a class, at most `MOST_PANELS`: sensitivity against false alarms; the dots are the operating points, the first of them filled."""
    shown = ranking[:MOST_PANELS]
    columns = min(_COLUMNS, len(shown))
    rows = math.ceil(len(shown) / columns)
    side = 4.2 if columns == 1 else 2.7
    figure = Figure(figsize=(side * columns, (side + 0.1) * rows), layout="constrained")
    panels = np.atleast_1d(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)).ravel()
    for axes, entry in zip(panels, shown, strict=False):
        _roc(axes, entry)
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    figure.supxlabel("false alarms: 1 - specificity", color=INK, fontsize=9)
    figure.supylabel("sensitivity", color=INK, fontsize=9)
    return figure


def _roc(axes: Axes, entry: ClassRanking) -> None:
    plain(axes)
    false, true = np.array(entry.roc).T
    axes.plot([0, 1], [0, 1], color=MUTED, linestyle="--", linewidth=0.8)
    axes.plot(false, true, color=BLUE, linewidth=1.8, drawstyle="default")
    for number, point in enumerate(entry.points):
        rates = point.rates
        if rates.sensitivity is not None and rates.specificity is not None:
            at = (1 - rates.specificity.value, rates.sensitivity.value)
            face = VERMILION if number == 0 else "none"
            axes.plot(*at, "o", color=VERMILION, markerfacecolor=face, markersize=6)
    axes.set_title(shortened(entry.name, 24), fontsize=9, color=INK, parse_math=False)
    axes.text(0.98, 0.04, f"AUROC {entry.auroc.value:.3f}", ha="right", fontsize=8, color=INK, transform=axes.transAxes)
    percent_axis(axes, "x", -0.02, 1.02)
    percent_axis(axes, "y", -0.02, 1.02)
    axes.set_aspect("equal")


def coverage_figure(selective: Selective, many: str) -> Figure:
    """The share of wrong answers against the share of answered examples, the surest first; the dot is the chosen confidence on the test."""
    figure, axes = new_figure(4.8, 3.6)
    answered, wrong = np.array(selective.curve).T
    axes.plot(answered, wrong, color=BLUE, linewidth=1.8)
    axes.axhline(selective.stated, color=MUTED, linestyle="--", linewidth=0.9)
    axes.text(0.01, selective.stated, "stated", ha="left", va="bottom", fontsize=8, color=INK)
    selection = selective.selection
    highest = max(selective.stated, float(wrong.max()))
    if selection is not None and selection.wrong is not None:
        at, error = selection.coverage.value, selection.wrong
        axes.plot([at, at], [error.low, error.high], color=VERMILION, linewidth=3, alpha=0.45)
        axes.plot(at, error.value, "o", color=VERMILION, markersize=7)
        highest = max(highest, error.high)
    percent_axis(axes, "x", 0, 1.02)
    percent_axis(axes, "y", 0, min(1.0, 1.1 * highest + 0.01))
    axes.set_xlabel(f"test {many} with an answer, the surest first", color=INK)
    axes.set_ylabel("wrong answers among them", color=INK)
    return figure


def slice_figure(scores: Sequence[SliceScore], overall: float, measure: str) -> Figure:
    """The share of right rows in each slice, with its interval; the dashed line is the share of all rows."""
    figure, axes = new_figure(9.6, 0.3 * len(scores) + 0.9)
    axes.axvline(overall, color=MUTED, linestyle="--", linewidth=0.9)
    for row, score in enumerate(scores):
        estimate = score.accuracy
        axes.plot([estimate.low, estimate.high], [row, row], color=BLUE, linewidth=3, alpha=0.35 if score.few else 0.45)
        axes.plot(estimate.value, row, "o", color=BLUE, markersize=6, markerfacecolor="none" if score.few else BLUE)
    names = [
        f"{score.column}: {_NOT_STATED if score.value is None else score.value}  (n {score.rows})" for score in scores
    ]
    axes.set_yticks(range(len(scores)), [shortened(name, 44) for name in names], fontsize=8.5, parse_math=False)
    axes.invert_yaxis()
    axes.margins(y=0.15)
    percent_axis(axes, "x", 0, 1.01)
    axes.set_xlabel(measure, color=INK)
    return figure
