"""Intervals over rows and groups."""

import numpy as np
import pytest
import torch

from thaw.foundation.statistics.bootstrap import Resampling
from thaw.strategies.advice.intervals import gain_of, headline_beside, headline_of, judged_draws, judged_rows
from thaw.strategies.advice.out_of_fold import OutOfFold
from thaw.targets.one_label.target import ONE_LABEL

USUAL = Resampling(1000)


def draws(right: "np.ndarray[tuple[int, int], np.dtype[np.float64]]") -> OutOfFold:
    """1 or 0 for each row in each draw, NaN where it was not judged."""
    return OutOfFold(ONE_LABEL, right[..., None] == 1, np.isfinite(right))


def found(*right: float) -> OutOfFold:
    return draws(np.array([right]))


def test_rows_of_a_group_count_as_one_witness() -> None:
    right = np.repeat(np.arange(40) % 2, 10).astype(float)
    rows = draws(right[None])
    alone, grouped = (headline_of(rows, groups, USUAL) for groups in (None, torch.arange(400) // 10))
    assert alone is not None and grouped is not None and alone.value == grouped.value == 0.5
    assert grouped.high - grouped.low == pytest.approx((alone.high - alone.low) * 10**0.5, rel=0.2)


def test_all_right_is_not_sure_to_stay_so() -> None:
    estimate = headline_of(found(*[1.0] * 20), None, USUAL)
    assert estimate is not None and (estimate.value, estimate.high) == (1, 1)
    assert estimate.low == pytest.approx(0.025 ** (1 / 20))
    none = headline_of(found(*[0.0] * 20), None, USUAL)
    assert none is not None and none.high == pytest.approx(1 - 0.025 ** (1 / 20))


def test_nothing_judged_gives_nothing() -> None:
    assert headline_of(found(np.nan, np.nan), None, USUAL) is None
    assert gain_of(found(1, np.nan), found(np.nan, 1), None, USUAL) is None


def test_a_gain_is_paired() -> None:
    first, second = np.arange(200) % 2, (np.arange(200) % 2) * (np.arange(200) > 20)
    gain = gain_of(draws(first[None] * 1.0), draws(second[None] * 1.0), None, USUAL)
    assert gain is not None and gain.value == pytest.approx(0.05) and 0 < gain.low < gain.high < 0.1


def test_what_stands_beside_is_of_the_same_rows_and_draws() -> None:
    once = found(1.0, 1.0, np.nan, np.nan)
    thrice = draws(np.array([[1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]]))
    assert (judged_rows(once), judged_draws(once)) == (2, 1) and (judged_rows(thrice), judged_draws(thrice)) == (4, 3)
    own, beside, gain = (
        headline_of(once, None, USUAL),
        headline_beside(once, thrice),
        gain_of(once, thrice, None, USUAL),
    )
    assert own is not None and gain is not None and beside == 0.5
    assert own.value - beside == gain.value, "the three figures of a row of the table agree"
    assert headline_beside(found(1, np.nan), found(np.nan, 1)) is None
