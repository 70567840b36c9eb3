"""Figures of a trigger: the trade-off of misses and false accepts, and the timeline of a stream."""

import math
from collections.abc import Sequence
from typing import Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thaw.evaluation.trigger.measures import FalseAccepts, TradeOff
from thaw.evaluation.trigger.timeline import Timeline
from thaw.evaluation.trigger.words import clock, ratio
from thaw.foundation.statistics.bootstrap import FloatArray
from thaw.pages.figures import BLUE, INK, MUTED, VERMILION, new_figure, percent_axis, plain
from thaw.targets.trigger.events import Scores
from thaw.targets.trigger.matching import Truth
from thaw.targets.trigger.promise import Budget, two_digits

Side = Literal["left", "right"]
"""The side of a name that stands at its line."""
COLUMNS = 1200
"""The most points of a line; each is the highest score of its share of the time."""
ROW_S, ROWS = 600, 6
"""A row of a timeline has so many seconds, and more if there would be too many rows."""
DEEP = 8.0
"""Scores further below the threshold are drawn at the lower edge."""
_STYLES = ((0, (1, 3)), ":", "-.", "--", "-")
"""The less noise, the fainter."""


def trade_off_figure(found: TradeOff, accepts: FalseAccepts, budget: Budget) -> Figure:
    """Misses against false accepts an hour, on a logarithmic scale that begins with none; the operating point on the clean curve, with a line to its bound."""
    figure, axes = new_figure(7.6, 4.4)
    none = min(1 / accepts.hours, budget.false_accepts_per_hour) / 2
    most = max(found.an_hour[-1], accepts.bound, accepts.least, budget.false_accepts_per_hour) * 1.3
    rates = np.append(np.maximum(found.an_hour, none), most)
    for place, (snr, misses) in enumerate(found.misses.items()):
        first = place == 0
        axes.plot(
            rates, np.append(misses, misses[-1]), drawstyle="steps-post", label=ratio(snr), linestyle="-" if first else _STYLES[place % len(_STYLES)],
            color=BLUE if first else VERMILION, linewidth=2.2 if first else 1.3, zorder=3 if first else 2,
        )  # fmt: skip
    highest = max(float(misses.max()) for misses in found.misses.values())
    _operating_point(axes, found, accepts, none)
    lines = [
        (budget.false_accepts_per_hour, "budget", "--"),
        (accepts.least, f"the least that {two_digits(accepts.hours)} hours can show", ":"),
    ]
    sides: tuple[Side, Side] = ("right", "left")
    for (at, name, style), side in zip(sorted(lines), sides, strict=True):
        _marked(axes, at, name, style, side)
    axes.set_xscale("log")
    axes.set_xlim(none, most)
    ticks = [at for at in (0.001, 0.01, 0.1, 1, 10, 100) if none * 1.5 < at <= most]
    axes.set_xticks([none, *ticks], ["none", *(f"{at:g}" for at in ticks)])
    axes.xaxis.set_minor_formatter(mpl.ticker.NullFormatter())
    axes.tick_params(which="minor", color=MUTED)
    percent_axis(axes, "y", -0.02 * highest - 0.004, max(0.05, highest * 1.15))
    axes.set_xlabel("false accepts an hour", color=INK)
    axes.set_ylabel("clips that are missed", color=INK)
    axes.legend(fontsize=8, frameon=False, labelcolor=INK, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def _operating_point(axes: Axes, found: TradeOff, accepts: FalseAccepts, none: float) -> None:
    missed, counted = next(iter(found.misses.values())), max(accepts.an_hour, none)
    place = int(np.searchsorted(found.an_hour, accepts.an_hour + 1e-9, side="right")) - 1
    at = float(missed[place])
    axes.plot([counted, accepts.bound], [at, at], color=BLUE, linewidth=5, alpha=0.35, solid_capstyle="butt", zorder=4)
    axes.plot(counted, at, "o", color=BLUE, markersize=8, clip_on=False, zorder=5)


def _marked(axes: Axes, at: float, name: str, style: str, side: Side) -> None:
    """side: of the name that stands at the line."""
    axes.axvline(at, color=MUTED, linewidth=1, linestyle=style)
    axes.annotate(
        name, (at, 1), (3 if side == "left" else -2, -2), xycoords=("data", "axes fraction"), textcoords="offset points",
        rotation=90, va="top", ha=side, fontsize=8, color=INK,
    )  # fmt: skip


def timeline_figure(timeline: Timeline) -> Figure:
    """The score less the threshold over time, in rows; events as dots, false ones in vermilion, true triggers as shaded spans, missed ones in vermilion."""
    scored = timeline.scored
    begin_s, end_s = scored.first_s, scored.at_s(max(1, len(scored.scores) - 1))
    rows = int(np.clip(math.ceil((end_s - begin_s) / ROW_S), 1, ROWS))
    figure = Figure(figsize=(10, 1.1 + 1.35 * rows), layout="constrained")
    above = np.clip(scored.scores - timeline.threshold, -DEEP, None)
    top = max(2.0, float(above.max(initial=0.0)) * 1.2)
    edges = np.linspace(begin_s, end_s, rows + 1)
    for axes, *span in zip(figure.subplots(rows, squeeze=False)[:, 0], edges, edges[1:], strict=False):
        plain(axes)
        _row(axes, timeline, above, (float(span[0]), float(span[1])))
        axes.set_ylim(-DEEP, top)
    axes.set_xlabel("time in the recording", color=INK)
    figure.supylabel("score above the threshold", fontsize=9, color=INK)
    return figure


def _row(axes: Axes, timeline: Timeline, above: Scores, span: tuple[float, float]) -> None:
    scored = timeline.scored
    first, last = (int(np.clip(round((at - scored.first_s) / scored.period_s), 0, len(above))) for at in span)
    _shade(axes, timeline)
    places, highest = highest_of(above[first:last], COLUMNS)
    axes.plot(scored.first_s + (first + places) * scored.period_s, highest, color=MUTED, linewidth=1)
    axes.axhline(0, color=INK, linewidth=0.9, linestyle="--")
    matched = timeline.matched
    for number, event in enumerate(timeline.events):
        if span[0] <= event.at_s <= span[1]:
            wrong = matched is not None and number in matched.false
            axes.plot(event.at_s, event.above, "v" if wrong else "o", color=VERMILION if wrong else BLUE, markersize=7)
    axes.set_xlim(*span)
    axes.xaxis.set_major_formatter(lambda at, _: clock(at))


def _shade(axes: Axes, timeline: Timeline) -> None:
    matched = timeline.matched
    if matched is None:
        return
    truths: Sequence[Truth] = timeline.truths or ()
    for number, truth in enumerate(truths):
        colour = VERMILION if number in matched.missed else BLUE
        axes.axvspan(truth.start_s, truth.end_s, color=colour, alpha=0.2, linewidth=0)


def highest_of(scores: Scores, most: int) -> tuple[FloatArray, Scores]:
    """The highest score in each of at most `most` pieces, float32 [K], and their places, float64 [K]."""
    begins = np.linspace(0, len(scores), min(most, len(scores)), endpoint=False).astype(int)
    if not len(begins):
        return np.zeros(0), scores
    return begins.astype(np.float64), np.maximum.reduceat(scores, begins)
