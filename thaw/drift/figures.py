"""Figures of drift: the held-out examples in blue, the new ones in vermilion."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from thaw.drift.record import Histogram, LabelShare, Point
from thaw.foundation.files.display_names import shortened
from thaw.pages.figures import BLUE, INK, MUTED, VERMILION, new_figure, percent_axis

MOST_LABELS = 15
LOWEST_P = 1e-4
"""The lower end of the axis of p-values; regroupings rarely give a smaller value."""


def histogram_figure(histogram: Histogram, across: str) -> Figure:
    """Both samples over the same bins, as shares of each."""
    figure, axes = new_figure(4.8, 3.2)
    for shares, colour, name in (
        (histogram.reference, BLUE, "held-out examples"),
        (histogram.new, VERMILION, "new examples"),
    ):
        axes.stairs(shares, histogram.edges, color=colour, linewidth=1.8, label=name)
        axes.stairs(shares, histogram.edges, fill=True, color=colour, alpha=0.18)
    axes.legend(fontsize=8, frameon=False, labelcolor=INK)
    percent_axis(axes, "y", 0, 1.15 * max(*histogram.reference, *histogram.new))
    axes.set_xlabel(across, color=INK)
    axes.set_ylabel("share of examples", color=INK)
    return figure


def labels_figure(labels: Sequence[LabelShare]) -> Figure:
    """The share of examples for which each class is named, the largest shift first; at most `MOST_LABELS` classes."""
    rows = labels[:MOST_LABELS]
    figure, axes = new_figure(4.8, 0.34 * len(rows) + 0.9)
    for place, label in enumerate(rows):
        axes.plot([label.reference, label.new], [place, place], color=MUTED, linewidth=1.2, zorder=1)
        axes.plot(label.reference, place, "o", color=BLUE, markersize=7, zorder=2)
        axes.plot(label.new, place, "D", color=VERMILION, markersize=6, zorder=2)
    axes.set_yticks(range(len(rows)), [shortened(label.name, 20) for label in rows], fontsize=8, parse_math=False)
    axes.invert_yaxis()
    axes.margins(y=0.15)
    percent_axis(axes, "x", -0.02, 1.08 * max(max(label.reference, label.new) for label in rows) + 0.02)
    axes.set_xlabel("named for (circle: held-out examples; diamond: new ones)", color=INK)
    return figure


def history_figure(history: Sequence[Point], false_alarms: float) -> Figure:
    """The smallest adjusted p-value of each batch of the version, on a logarithmic scale; the limit is dashed, batches below it are vermilion."""
    figure, axes = new_figure(4.8, 3.2)
    points = [(point.step, max(LOWEST_P, point.p_value)) for point in history if point.p_value is not None]
    axes.axhline(false_alarms, color=MUTED, linewidth=1, linestyle="--")
    axes.plot(*np.array(points).T, color=MUTED, linewidth=0.8, zorder=1)
    for step, value in points:
        drifted = value <= false_alarms
        axes.plot(step, value, "D" if drifted else "o", color=VERMILION if drifted else BLUE, markersize=5, zorder=2)
    axes.set_yscale("log")
    axes.set_ylim(LOWEST_P / 1.5, 1.5)
    axes.set_xlim(min(step for step, _ in points) - 0.7, max(step for step, _ in points) + 0.7)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("batch", color=INK)
    axes.set_ylabel("smallest p-value", color=INK)
    return figure


def neither_figure(history: Sequence[Point], reference: float) -> Figure:
    """The share of `neither` in each batch of the version; the reference's share is dashed."""
    figure, axes = new_figure(4.8, 3.2)
    points = [(point.step, point.neither) for point in history if point.neither is not None]
    axes.axhline(reference, color=BLUE, linewidth=1, linestyle="--")
    axes.plot([step for step, _ in points], [share for _, share in points], "D-", color=VERMILION, markersize=5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlim(min(step for step, _ in points) - 0.7, max(step for step, _ in points) + 0.7)
    percent_axis(axes, "y", 0, min(1.03, 1.2 * max(reference, *(share for _, share in points)) + 0.02))
    axes.set_xlabel("batch", color=INK)
    axes.set_ylabel("share of neither", color=INK)
    return figure
