"""Events: never more at a higher threshold, never closer than the refractory time, and as many as fit."""

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from thaw.targets.trigger.events import Background, ScoredRecording, events

SCORES = st_numpy.arrays(np.float32, st.integers(0, 12), elements=st.sampled_from([-1.0, 0.0, 1.0, 2.0, 3.0]))


@given(SCORES, st.floats(-2, 4), st.integers(1, 5))
def test_events_lie_above_the_threshold_and_apart_and_none_could_be_added(
    scores: np.ndarray, threshold: float, refractory: int
) -> None:
    places = events(scores, threshold, refractory)
    assert (scores[places] > threshold).all()
    assert (np.diff(places) >= refractory).all()
    above = np.flatnonzero(scores > threshold)
    more = len(places) + 1
    assert not any(min(np.diff(each), default=refractory) >= refractory for each in combinations(above, more))


@given(SCORES, st.floats(-2, 4), st.floats(-2, 4), st.integers(1, 5))
def test_a_higher_threshold_never_gives_more(scores: np.ndarray, one: float, two: float, refractory: int) -> None:
    low, high = sorted((one, two))
    assert len(events(scores, low, refractory)) >= len(events(scores, high, refractory))


def test_twenty_places_above_the_threshold_are_one_event() -> None:
    scores = np.concatenate([np.zeros(30), np.ones(20), np.zeros(30)]).astype(np.float32)
    assert events(scores, 0.5, 25).tolist() == [30]


def test_events_and_hours_are_summed_by_group_and_no_event_hides_the_start_of_the_next_recording() -> None:
    loud, quiet = np.ones(3, np.float32), np.zeros(3, np.float32)
    recordings = [ScoredRecording(loud, 1.0, "b"), ScoredRecording(quiet, 2.0, "a"), ScoredRecording(loud, 4.0, "b")]
    background = Background(recordings, 2)
    assert background.false_accepts(0.5).tolist() == [0, 4]
    assert background.group_hours.tolist() == [2.0, 5.0]
    assert background.hours == 7.0


@given(st.lists(SCORES.filter(len), min_size=1, max_size=4), st.integers(0, 6), st.integers(1, 5))
def test_the_threshold_is_the_lowest_with_so_few_events(
    scores: list[np.ndarray], allowed: int, refractory: int
) -> None:
    background = Background([ScoredRecording(each, 1.0, "one") for each in scores], refractory)
    threshold = background.threshold(allowed)
    assert background.false_accepts(threshold).sum() <= allowed
    lower = background.levels[background.levels < threshold]
    assert len(lower) == 0 or background.false_accepts(float(lower[-1])).sum() > allowed
