"""Matching: as many pairs as any other matching makes, and every event and trigger is accounted for."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from thaw.targets.trigger.matching import Truth, match

TIMES = st.lists(st.integers(0, 20).map(float), max_size=4).map(sorted)
TRUTHS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 4)), max_size=4).map(
    lambda pairs: [Truth(float(start), float(start + length)) for start, length in pairs]
)


@given(TIMES, TRUTHS, st.sampled_from([0.0, 1.0, 3.0]))
def test_no_other_matching_has_more_pairs(times: list[float], truths: list[Truth], tolerance: float) -> None:
    found = match(times, truths, tolerance)
    assert sorted([event for event, _ in found.hits] + list(found.false)) == list(range(len(times)))
    assert sorted([truth for _, truth in found.hits] + list(found.missed)) == list(range(len(truths)))

    def fits(event: int, truth: int) -> bool:
        return truths[truth].start_s <= times[event] <= truths[truth].end_s + tolerance

    assert all(fits(event, truth) for event, truth in found.hits)
    slots = [*range(len(times)), *([None] * len(truths))]
    most = max(
        sum(event is not None and fits(event, truth) for truth, event in enumerate(order))
        for order in permutations(slots, len(truths))
    )
    assert len(found.hits) == most


def test_a_second_event_of_a_trigger_is_a_false_accept() -> None:
    found = match([1.0, 1.5, 9.0], [Truth(0.5, 1.2)], 0.5)
    assert found.hits == ((0, 0),)
    assert found.false == (1, 2)
    assert found.missed == ()
