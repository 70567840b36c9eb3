"""Figures of an evaluation: confusion, reliability, classes, baselines, transfer and openness."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from thaw.evaluation.openness_words import TITLES
from thaw.foundation.files.display_names import shortened
from thaw.foundation.statistics.bootstrap import Estimate, IntArray
from thaw.heads.open_set import Tuning
from thaw.pages.figures import BLUE, DEEP_BLUE, INK, MUTED, VERMILION, new_figure, percent_axis, plain
from thaw.strategies.baselines.transfer_gain import TransferGain
from thaw.targets.one_label.metrics import ClassScore, ReliabilityBin

Shares = NDArray[np.float64]

NUMBERED = 20
"""Confusion matrices of at most this many classes have a number in each cell."""
WORST = 30
"""The bars show at most this many classes, the worst ones."""


@dataclass(frozen=True)
class Bar:
    """One row of `accuracy_figure`; `model` marks the model itself."""

    name: str
    accuracy: Estimate
    model: bool


def matrix_figure(counts: IntArray, of: IntArray, class_names: Sequence[str], columns: str) -> Figure:
    """Labels in rows, what the model named in columns; the diagonal, which is right, in blue, the rest in vermilion, as strong as its share.

    counts, of: int64 [C, C], see `Target.matrix`.
    """
    classes, share = len(class_names), counts / np.maximum(of, 1)
    side = float(np.clip(0.42 * classes + 1.4, 3.6, 9.0))
    figure, axes = new_figure(side, side)
    axes.imshow(_cells(share), interpolation="none", aspect="equal")
    font = float(np.clip(260 / classes, 4, 9))
    _name_ticks(axes, class_names, font)
    if classes <= NUMBERED:
        _number_cells(axes, counts, share)
    axes.set_xlabel(columns, color=INK)
    axes.set_ylabel("label", color=INK)
    axes.set_xticks(np.arange(classes + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(classes + 1) - 0.5, minor=True)
    axes.grid(which="minor", color=MUTED, linewidth=0.2)
    axes.tick_params(which="minor", length=0)
    return figure


def _cells(
    share: Shares,
) -> "np.ndarray[tuple[int, int, int], np.dtype[np.float64]]":
    """RGBA [C, C, 4]; empty cells are transparent, so that the figure fits a light and a dark page."""
    right = np.eye(len(share), dtype=bool)
    cells = np.empty((*share.shape, 4))
    cells[right, :3] = mpl.colors.to_rgb(DEEP_BLUE)
    cells[~right, :3] = mpl.colors.to_rgb(VERMILION)
    cells[..., 3] = np.where(right, share, np.sqrt(share))
    return cells


def _name_ticks(axes: Axes, names: Sequence[str], font: float) -> None:
    places = range(0, len(names), max(1, len(names) // 50))
    labels = [shortened(names[place], 16) for place in places]
    long = max(len(label) for label in labels) > 2
    axes.set_xticks(list(places), labels, fontsize=font, parse_math=False, rotation=90 if long else 0)
    axes.set_yticks(list(places), labels, fontsize=font, parse_math=False)


def _number_cells(axes: Axes, counts: IntArray, share: Shares) -> None:
    for row, column in zip(*np.nonzero(counts), strict=True):
        strong = row == column and share[row, column] > 0.7
        axes.text(
            column,
            row,
            str(counts[row, column]),
            ha="center",
            va="center",
            fontsize=8,
            color="white" if strong else INK,
        )


@dataclass(frozen=True)
class ReliabilityAxes:
    """The titles of a reliability diagram's axes: across, up, and of the bars."""

    confidence: str
    right: str
    counted: str


def reliability_figure(bins: Sequence[ReliabilityBin], names: ReliabilityAxes) -> Figure:
    """The share of right decisions against the model's confidence, with Wilson intervals, above the number of decisions in each bin."""
    from scipy.stats import binomtest  # the import takes half a second

    figure = Figure(figsize=(4.8, 4.6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    for axes in (upper, lower):
        plain(axes)
    upper.plot([0, 1], [0, 1], color=MUTED, linestyle="--", linewidth=1)
    for entry in bins:
        if entry.confidence is None or entry.accuracy is None:
            continue
        wilson = binomtest(round(entry.accuracy * entry.n), entry.n).proportion_ci(method="wilson")
        upper.plot([entry.confidence] * 2, [wilson.low, wilson.high], color=BLUE, linewidth=1.5)
        upper.plot(entry.confidence, entry.accuracy, "o", color=BLUE, markersize=5)
    upper.set_ylim(0, 1.03)
    upper.set_ylabel(names.right, color=INK)
    middles, width = [(entry.low + entry.high) / 2 for entry in bins], bins[0].high - bins[0].low
    lower.bar(middles, [entry.n for entry in bins], width=0.85 * width, color=BLUE)
    for entry, middle in zip(bins, middles, strict=True):
        if entry.n:
            lower.text(middle, entry.n, str(entry.n), ha="center", va="bottom", fontsize=7, color=INK)
    lower.set_xlim(0, 1.01)
    lower.margins(y=0.25)
    lower.set_xlabel(names.confidence, color=INK)
    lower.set_ylabel(names.counted, color=INK)
    return figure


def class_figure(scores: Sequence[ClassScore]) -> Figure:
    """F1 of each class as bars, the worst first, with the number of test examples; at most `WORST` of them."""
    known = [(score.f1, score) for score in scores if score.f1 is not None]
    ranked = sorted(known, key=lambda pair: pair[0])[:WORST]
    figure, axes = new_figure(4.8, 0.26 * len(ranked) + 0.8)
    axes.barh(range(len(ranked)), [f1 for f1, _ in ranked], color=BLUE, height=0.7)
    for row, (f1, score) in enumerate(ranked):
        axes.text(f1 + 0.01, row, f"{f1:.2f}  (n {score.n})", va="center", fontsize=8, color=INK)
    axes.set_yticks(
        range(len(ranked)), [shortened(score.name, 20) for _, score in ranked], fontsize=8, parse_math=False
    )
    axes.invert_yaxis()
    axes.set_xlim(0, 1.25)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axes.set_xlabel("F1", color=INK)
    return figure


def accuracy_figure(bars: Sequence[Bar], measure: str, width: float = 4.8) -> Figure:
    """Accuracy, or macro F1, of the model and of its baselines, each with its interval; width in inches."""
    figure, axes = new_figure(width, 0.42 * len(bars) + 0.8)
    for row, bar in enumerate(bars):
        colour, estimate = BLUE if bar.model else VERMILION, bar.accuracy
        axes.plot([estimate.low, estimate.high], [row, row], color=colour, linewidth=3, alpha=0.45)
        axes.plot(estimate.value, row, "o" if bar.model else "D", color=colour, markersize=7)
        right = estimate.high < 0.8
        axes.text(
            estimate.high + 0.02 if right else estimate.low - 0.02,
            row,
            f"{100 * estimate.value:.1f}%",
            ha="left" if right else "right",
            va="center",
            fontsize=9,
            color=INK,
        )
    axes.set_yticks(range(len(bars)), [bar.name for bar in bars], fontsize=9, parse_math=False)
    axes.invert_yaxis()
    axes.margins(y=0.2)
    percent_axis(axes, "x", 0, 1)
    axes.set_xlabel(measure, color=INK)
    return figure


def transfer_figure(transfer: TransferGain, titles: Sequence[str], measure: str) -> Figure:
    """Test accuracy, or macro F1, of each contender over the draws; a thin line joins the dots of the same draw."""
    values = np.array([contender.accuracies for contender in transfer.contenders])
    figure, axes = new_figure(4.8, 3.6)
    columns = np.arange(len(values))
    for column in values.T:
        axes.plot(columns, column, color=MUTED, linewidth=0.6, alpha=0.6, zorder=1)
    for place, accuracies in enumerate(values):
        colour = BLUE if place == 0 else VERMILION
        axes.plot([place] * len(accuracies), accuracies, "o", color=colour, markersize=4, alpha=0.75, zorder=2)
        axes.plot([place - 0.22, place + 0.22], [accuracies.mean()] * 2, color=colour, linewidth=3, zorder=3)
        axes.text(
            place + 0.26,
            accuracies.mean(),
            f"{100 * accuracies.mean():.1f}%",
            va="center",
            fontsize=8,
            color=INK,
        )
    axes.set_xticks(columns, titles, fontsize=8.5, parse_math=False)
    axes.set_xlim(-0.4, len(values) - 0.35)
    reach = max(0.02, float(np.ptp(values)) * 0.12)
    percent_axis(axes, "y", max(0.0, float(values.min()) - reach), min(1.0, float(values.max()) + reach))
    axes.set_ylabel(measure, color=INK)
    return figure


def openness_figure(tuning: Tuning) -> Figure:
    """The share of accepted unknown inputs against the share of rejected known ones, for each score; the chosen score in blue, its threshold as a dot."""
    figure, axes = new_figure(4.8, 3.9)
    lines = ("-", "--", ":", "-.")
    axes.axhline(tuning.rate, color=MUTED, linewidth=0.8, linestyle=(0, (1, 3)))
    for place, entry in reversed(list(enumerate(tuning.candidates))):
        colour = BLUE if place == 0 else VERMILION
        rejected = np.linspace(0, 1, len(entry.curve))
        axes.plot(
            rejected, entry.curve, color=colour, linestyle=lines[place], linewidth=2 if place == 0 else 1.2,
            label=f"{TITLES[entry.score].lower()}, AUROC {entry.auroc:.3f}", drawstyle="steps-post",
        )  # fmt: skip
        axes.plot(entry.false_rejects, entry.false_accepts, "o", color=colour, markersize=7 if place == 0 else 4)
    axes.text(1, tuning.rate, "asked for", ha="right", va="bottom", fontsize=8, color=INK)
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], fontsize=8, frameon=False, labelcolor=INK, loc="upper right")
    percent_axis(axes, "x", -0.01, 1)
    percent_axis(axes, "y", -0.01, 1)
    axes.set_xlabel("known examples that are rejected", color=INK)
    axes.set_ylabel("unknown examples that are accepted", color=INK)
    return figure
