"""Intervals over groups: against Clopper and Pearson's where each row is its own, and by their coverage where rows are alike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from thaw.foundation.statistics.clustered import each_its_own, mean_interval, share_interval


@pytest.mark.parametrize(("right", "rows"), [(0, 10), (10, 10), (3, 10), (170, 200)])
def test_rows_of_their_own_have_clopper_and_pearson_s_interval(right: int, rows: int) -> None:
    hits = (np.arange(rows) < right).astype(np.float64)
    found = share_interval(hits, each_its_own(rows), 0.95)
    exact = binomtest(right, rows).proportion_ci(method="exact")
    # The variance is that of rows - 1 degrees of freedom, so the interval is a little wider.
    assert found.low == pytest.approx(exact.low, abs=0.02) and found.high == pytest.approx(exact.high, abs=0.02)
    assert found.low <= exact.low + 1e-9 and found.high >= exact.high - 1e-9


def test_a_group_of_alike_rows_counts_as_one() -> None:
    hits = np.repeat([1.0, 0, 1, 1, 1, 0, 1, 1], 25)
    grouped = share_interval(hits, np.repeat(np.arange(8), 25), 0.95)
    alone = share_interval(hits[::25], each_its_own(8), 0.95)
    assert alone.low - 0.1 < grouped.low <= alone.low and alone.high <= grouped.high
    assert share_interval(hits, each_its_own(200), 0.95).low > grouped.low + 0.2


def test_one_group_tells_nothing() -> None:
    found = share_interval(np.ones(9), np.zeros(9, np.int64), 0.95)
    assert (found.value, found.low, found.high) == (1.0, 0.0, 1.0)
    assert mean_interval(np.full(9, 0.2), np.zeros(9, np.int64), 0.95).high == 1.0


def test_it_covers_the_truth_of_groups_that_differ() -> None:
    random, covered, rounds = np.random.default_rng(0), 0, 400
    for _ in range(rounds):
        shares = np.repeat(random.beta(4, 1, 12), 5)  # 0.8 on average
        found = share_interval((random.random(60) < shares).astype(np.float64), np.repeat(np.arange(12), 5), 0.95)
        covered += found.low <= 0.8 <= found.high
    assert covered / rounds > 0.93


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.integers(1, 7))
def test_the_value_lies_in_the_interval(hits: list[bool], groups: int) -> None:
    rows = np.array(hits, np.float64)
    for found in (
        share_interval(rows, np.arange(len(rows)) % groups, 0.9),
        mean_interval(rows - 0.5, np.arange(len(rows)) % groups, 0.9),
    ):
        assert -1 <= found.low <= found.value <= found.high <= 1
