"""The report of a trigger and the timeline of a stream, each as one self-contained HTML page whose size does not grow with the recordings."""

from collections.abc import Sequence

from markupsafe import Markup
from matplotlib.figure import Figure

from thaw.evaluation.trigger import words
from thaw.evaluation.trigger.excerpts import excerpts
from thaw.evaluation.trigger.figures import timeline_figure, trade_off_figure
from thaw.evaluation.trigger.measures import (
    WithoutNetwork,
    false_accepts,
    furthest_from_the_trigger,
    misses,
    misses_by_group,
    nearest_to_the_trigger,
    trade_off,
)
from thaw.evaluation.trigger.timeline import Timeline, nearest_recording
from thaw.foundation.statistics.bootstrap import USUAL, Resampling
from thaw.kinds.kind import Kind
from thaw.pages.figures import svg
from thaw.pages.layout import render
from thaw.targets.trigger.evidence import CLEAN, Evidence
from thaw.targets.trigger.promise import two_digits

EXCERPTS = 9
"""Of misses, of false accepts, and of events of a timeline."""
GROUPS = 30
"""The most rows of the table of groups."""
TOLD_SNR = 10.0
"""The ratio of noise that has a card beside the clean clips'."""


def render_trigger(
    evidence: Evidence,
    kind: Kind,
    *,
    streams: Sequence[Timeline] = (),
    beside: Sequence[tuple[str, str]] = (),
    without: WithoutNetwork | None = None,
    resampling: Resampling = USUAL,
) -> str:
    """The page as HTML. kind: that of the recordings, which are read for excerpts. streams: shown in place of the recording with the highest score. beside:
    other triggers, and the addresses of their pages. without: the same detector without the network; None: not measured.
    """
    missed, groups, accepts = misses(evidence, resampling), misses_by_group(evidence), false_accepts(evidence)
    budget, own = evidence.promise.budget, nearest_recording(evidence)
    shown = streams or ([] if own is None else [own])
    values = {
        "evidence": evidence,
        "beside": beside,
        "without": without,
        "worth": words.worth(without),
        "budget": budget,
        "misses": missed,
        "told": (CLEAN, TOLD_SNR),
        "groups": groups,
        "most_groups": GROUPS,
        "accepts": accepts,
        "confidence": resampling.confidence,
        "verdict": words.verdict(evidence, missed),
        "counted": words.counted,
        "how_missed": words.how_missed(evidence, groups),
        "how_accepted": words.how_accepted(evidence),
        "ratio": words.ratio,
        "two_digits": two_digits,
        "clock": words.clock,
        "margin": words.margin,
        "trade_off": _svg(trade_off_figure(trade_off(evidence), accepts, budget), "trade-off") if missed else "",
        "timelines": [
            (each, _svg(timeline_figure(each), f"timeline-{number}"), words.timeline_caption(each))
            for number, each in enumerate(shown)
        ],
        "furthest": excerpts(furthest_from_the_trigger(evidence, EXCERPTS), kind),
        "nearest": excerpts(nearest_to_the_trigger(evidence, EXCERPTS), kind),
        "advice": words.advice(evidence, missed, groups),
    }
    return render("evaluation/trigger/page.html.j2", values)


def render_timeline(timeline: Timeline, kind: Kind) -> str:
    """The page of one stream as HTML. kind: that of the stream, which is read for excerpts."""
    values = {
        "timeline": timeline,
        "verdict": words.timeline_verdict(timeline),
        "caption": words.timeline_caption(timeline),
        "figure": _svg(timeline_figure(timeline), "timeline"),
        "events": len(timeline.events),
        "excerpts": excerpts(timeline.events[:EXCERPTS], kind),
        "clock": words.clock,
        "margin": words.margin,
    }
    return render("evaluation/trigger/timeline_page.html.j2", values)


def _svg(figure: Figure, name: str) -> Markup:
    return Markup(svg(figure, name))  # noqa: S704  # matplotlib escapes its texts
