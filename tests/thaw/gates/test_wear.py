"""The budget of errors that all judgements on one test set share."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thaw.gates.wear import HALF, Judgement, Wear, sketch_of, wear_of

CONFIDENCE = 0.95


def digests(numbers: range) -> list[bytes]:
    return [hashlib.blake2b(number.to_bytes(8, "big"), digest_size=32).digest() for number in numbers]


def judgement(numbers: range) -> Judgement:
    return Judgement(len(numbers), sketch_of(digests(numbers)))


def test_all_judgements_together_spend_the_budget_and_no_more() -> None:
    levels = [Wear(100, judged, CONFIDENCE).level for judged in range(10_000)]
    assert sum(levels) < 0.05 and sum(levels) == pytest.approx(0.05, rel=0.01)
    assert sum(levels[:HALF]) == pytest.approx(0.025), "half of it in the first judgements"
    assert levels == sorted(levels, reverse=True)
    assert Wear(100, HALF - 1, CONFIDENCE).left == pytest.approx(0.5)


def test_rows_that_have_judged_nothing_are_worth_all_of_themselves() -> None:
    assert Wear(100, 0, CONFIDENCE).fresh_rows == 100
    worth = [Wear(1000, judged, CONFIDENCE).fresh_rows for judged in (0, 10, 100, 1000)]
    assert worth == sorted(worth, reverse=True) and 300 < worth[-1] < worth[1] < 1000


def test_the_same_rows_count_whole_and_other_rows_not_at_all() -> None:
    now = digests(range(500))
    assert wear_of(now, [judgement(range(500))] * 3, CONFIDENCE).judged == pytest.approx(3)
    assert wear_of(now, [judgement(range(500, 900))] * 3, CONFIDENCE).judged == 0
    assert wear_of(now, [Judgement(40)], CONFIDENCE).judged == 1, "unknown rows are taken as the same"
    assert wear_of(now[::-1], [judgement(range(500))], CONFIDENCE).judged == pytest.approx(1), "in any order"


@given(old=st.integers(1, 2000), new=st.integers(0, 2000))
def test_of_a_test_set_that_has_grown_the_old_share_counts(old: int, new: int) -> None:
    judged = wear_of(digests(range(old + new)), [judgement(range(old))], CONFIDENCE).judged
    assert judged == pytest.approx(old / (old + new), abs=0.45)  # four standard errors of the sketch
    if new == 0:
        assert judged == pytest.approx(1)


def test_a_sketch_is_small_and_the_same_for_the_same_rows() -> None:
    rows = digests(range(5000))
    assert sketch_of(rows) == sketch_of(sorted(rows)) == sketch_of([*rows, *rows])
    assert len("".join(sketch_of(rows))) < 300
    assert sketch_of([]) == ()
