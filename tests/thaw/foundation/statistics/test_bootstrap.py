"""Resampling: with replacement, repeatable, the same however it is cut into chunks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thaw.foundation.statistics import bootstrap as module
from thaw.foundation.statistics.bootstrap import (
    Resampling,
    bootstrap,
    one_hot,
    percentile_interval,
    resampled_counts,
    stacked,
    totals,
)


@given(rows=st.integers(1, 60), resamples=st.integers(1, 20))
def test_every_resample_draws_as_many_rows_as_there_are(rows: int, resamples: int) -> None:
    counts = np.concatenate(list(resampled_counts(rows, Resampling(resamples))))
    assert counts.shape == (resamples, rows)
    assert (counts.sum(1) == rows).all()


def test_chunks_do_not_change_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.concatenate(list(resampled_counts(10, Resampling(50))))
    monkeypatch.setattr(module, "CELLS_AT_ONCE", 30)
    assert (np.concatenate(list(resampled_counts(10, Resampling(50)))) == whole).all()


def test_a_mean_has_the_interval_of_the_central_limit() -> None:
    values = np.random.default_rng(0).normal(size=400)
    statistics = one_hot(np.zeros(400, np.int64), values, 1)
    replicates = bootstrap(statistics, lambda sums: sums / 400, Resampling(4000))[0]
    found = percentile_interval(float(values.mean()), replicates, 0.95)
    half = 1.96 * values.std() / 20
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.012)


def test_statistics_are_summed_over_rows_and_lie_below_each_other() -> None:
    parts = [one_hot(np.array([0, 1, 0]), np.array([1.0, 2.0, 3.0]), 2), one_hot(np.array([0, 0, 0]), np.ones(3), 1)]
    assert totals(stacked(parts)).tolist() == [[4.0], [2.0], [3.0]]
