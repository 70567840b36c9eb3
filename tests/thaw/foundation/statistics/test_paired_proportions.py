"""The interval of two paired shares."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thaw.foundation.statistics.paired_proportions import paired_share_interval


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int, int]:
    rows = draw(st.integers(1, 400))
    first = draw(st.integers(0, rows))
    return first, draw(st.integers(0, rows - first)), rows


@given(counts(), st.floats(0.8, 0.9999))
def test_it_holds_the_value_within_bounds_and_mirrors(found: tuple[int, int, int], confidence: float) -> None:
    first, second, rows = found
    one = paired_share_interval(first, second, rows, confidence)
    assert -1 <= one.low <= one.value <= one.high <= 1
    other = paired_share_interval(second, first, rows, confidence)
    assert (other.low, other.high) == (pytest.approx(-one.high, abs=1e-6), pytest.approx(-one.low, abs=1e-6))
    wider = paired_share_interval(first, second, rows, (1 + confidence) / 2)
    assert wider.low <= one.low + 1e-9 and wider.high >= one.high - 1e-9


def test_rows_that_all_agree_leave_doubt_which_shrinks_as_they_grow() -> None:
    """Where no row differs the score interval is that of Wilson: z² / (n + z²)."""
    few, many = paired_share_interval(0, 0, 10, 0.95), paired_share_interval(0, 0, 1000, 0.95)
    assert few.high == pytest.approx(3.8415 / 13.8415, abs=1e-3) and few.low == pytest.approx(-few.high)
    assert many.high < 0.004


@pytest.mark.parametrize(
    ("rows", "both", "first", "second"), [(10, 0.8, 0.1, 0.05), (40, 0.6, 0.2, 0.1), (30, 0.9, 0.1, 0)]
)
def test_it_covers_as_often_as_it_says(rows: int, both: float, first: float, second: float) -> None:
    drawn = np.random.default_rng(0).multinomial(rows, [both, first, second, max(0.0, 1 - both - first - second)], 2000)
    seen: dict[tuple[int, int], bool] = {}
    covered = 0
    for _, one, other, _ in drawn.tolist():
        if (one, other) not in seen:
            found = paired_share_interval(one, other, rows, 0.95)
            seen[one, other] = found.low <= first - second <= found.high
        covered += seen[one, other]
    assert covered / 2000 > 0.93


@pytest.mark.parametrize(("first", "second", "rows"), [(0, 0, 0), (2, 2, 3)])
def test_what_cannot_be_is_refused(first: int, second: int, rows: int) -> None:
    with pytest.raises(ValueError, match="there must be rows"):
        paired_share_interval(first, second, rows, 0.95)
