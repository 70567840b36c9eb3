"""The timeline of a stream: its events as everywhere else, beside the true triggers."""

from dataclasses import replace

import numpy as np
import pytest
from trigger_evidence import evidence_of, scored

from thaw.evaluation.trigger.figures import COLUMNS, ROWS, highest_of, timeline_figure
from thaw.evaluation.trigger.timeline import Timeline, nearest_recording
from thaw.pages.figures import svg
from thaw.targets.trigger.evidence import CLEAN
from thaw.targets.trigger.matching import Truth

SCORES = np.full(500, -5, np.float32)
SCORES[[100, 101, 300]] = [2, 3, 1]
STREAM = Timeline(scored(SCORES, name="monday.flac"), "view glass", 0.0, 25)


def test_events_come_where_the_score_passes_the_threshold() -> None:
    assert [(event.at_s, event.above) for event in STREAM.events] == [(pytest.approx(9.5), 2), (pytest.approx(25.5), 1)]
    assert STREAM.matched is None
    known = replace(STREAM, truths=(Truth(8.8, 9.4), Truth(33, 34))).matched
    assert known is not None and (known.hits, known.missed, known.false) == (((0, 0),), (1,), (1,))


def test_the_recording_with_the_highest_score_stands_for_all() -> None:
    evidence = evidence_of({CLEAN: [1.0]})
    loud = scored(SCORES + 90, name="loud.flac")
    found = nearest_recording(replace(evidence, others=(*evidence.others, loud)))
    assert found is not None and found.scored is loud and found.truths == ()
    assert nearest_recording(replace(evidence, others=(scored([]),))) is None


def test_half_a_day_is_drawn_in_rows_and_no_larger_than_an_hour() -> None:
    draw = np.random.default_rng(0)
    sizes = []
    for places in (45_000, 540_000):
        figure = timeline_figure(replace(STREAM, scored=scored(draw.normal(-3, 0.5, places))))
        assert len(figure.axes) == ROWS
        sizes.append(len(svg(figure, "t")))
    assert sizes[1] < 1.1 * sizes[0] < 600_000


def test_the_highest_scores_are_kept() -> None:
    places, highest = highest_of(np.arange(10 * COLUMNS, dtype=np.float32), COLUMNS)
    assert len(highest) == COLUMNS and highest[-1] == 10 * COLUMNS - 1 and places[1] == 10
    assert len(highest_of(np.zeros(0, np.float32), COLUMNS)[1]) == 0


def test_a_stream_without_a_score_has_a_figure() -> None:
    assert "<svg" in svg(timeline_figure(replace(STREAM, scored=scored([]))), "t")
