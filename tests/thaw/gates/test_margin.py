"""The margin that a test set resolves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thaw.gates.margin import LEAST, judgements_left, margin_of, resolvable, rows_for
from thaw.gates.wear import Wear
from thaw.params.sections import PromotionParams

CONFIDENCE = 0.95


def test_a_stated_margin_stays_and_an_unstated_one_follows_the_rows() -> None:
    assert margin_of(PromotionParams(margin=0.03), 50, 0.1, CONFIDENCE) == 0.03
    margins = [margin_of(PromotionParams(), rows, 0.1, CONFIDENCE) for rows in (30, 153, 1000, 4000, 10**6)]
    assert margins == sorted(margins, reverse=True)
    assert margins[-1] == LEAST and margins[0] < 0.5


@given(st.integers(30, 20_000), st.floats(0, 0.6))
def test_more_rows_resolve_less_and_the_size_for_a_margin_resolves_it(rows: int, wrong: float) -> None:
    assert 0 < resolvable(4 * rows, wrong, CONFIDENCE) < resolvable(rows, wrong, CONFIDENCE) <= 1


@pytest.mark.parametrize("margin", [0.01, 0.03, 0.1])
@pytest.mark.parametrize("wrong", [0.0, 0.05, 0.3])
def test_the_size_for_a_margin_is_enough_and_not_much_more(margin: float, wrong: float) -> None:
    rows = rows_for(margin, wrong, CONFIDENCE)
    assert resolvable(rows, wrong, CONFIDENCE) <= margin < resolvable(rows * 4 // 5, wrong, CONFIDENCE)


def test_rows_serve_for_a_while_and_then_new_labels_are_due() -> None:
    def left(rows: int, judged: float, margin: float | None = None) -> int:
        params = PromotionParams(margin=margin)
        return judgements_left(Wear(rows, judged, CONFIDENCE), 0.05, margin_of(params, rows, 0.05, CONFIDENCE))

    assert left(1000, 0) > left(100, 0) > 10, "a month of nights, on few rows too"
    assert left(1000, 0) == left(1000, 7) + 7
    assert left(100, 1000) == 0
    assert left(100, 0, margin=0.01) == 0, "the stated margin asks for more than the rows can tell"
