"""Promises: within the budget or honest about it, and true of sound that was never heard."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thaw.foundation.statistics.poisson_bound import rate_bound
from thaw.targets.trigger.events import Background, ScoredRecording
from thaw.targets.trigger.promise import Budget, promise


def background(seed: int, number: int, hours: float, *, apart: float = 0.0) -> Background:
    """Recordings of 40 places each; apart: how much the levels of recordings differ."""
    draw = np.random.default_rng(seed)
    levels = apart * draw.standard_normal(number)
    recordings = [
        ScoredRecording((draw.standard_normal(40) + level).astype(np.float32), hours, str(place))
        for place, level in enumerate(levels)
    ]
    return Background(recordings, 3)


@cache
def unheard(apart: float) -> Background:
    """Other recordings, from which rates are known well."""
    return background(99, 4000, 0.1, apart=apart)


def true_rate(threshold: float, apart: float) -> float:
    other = unheard(apart)
    return float(other.false_accepts(threshold).sum() / other.hours)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 5), st.floats(0.1, 5))
def test_a_promise_states_its_hours_and_the_bound_of_what_it_allows(seed: int, hours: float, budget: float) -> None:
    heard = background(seed, 12, hours)
    made = promise(heard, Budget(budget))
    assert made.hours == pytest.approx(12 * hours)
    assert made.accepted == heard.false_accepts(made.threshold).sum()
    assert made.bound >= rate_bound(made.accepted, made.hours, 0.95) - 1e-9
    assert made.within_budget == (made.missing_hours < 1e-9)


def test_too_few_hours_are_said() -> None:
    made = promise(background(0, 20, 0.1), Budget(0.5))
    assert not made.within_budget
    assert made.accepted == 0
    assert made.bound == pytest.approx(rate_bound(0, 2.0, 0.95, made.dispersion))
    assert made.missing_hours == pytest.approx(made.bound * made.hours / 0.5 - made.hours)
    assert "0.5 an hour takes" in str(made)


def test_enough_hours_show_the_budget() -> None:
    made = promise(background(0, 40, 0.5), Budget(1.0))
    assert made.within_budget
    assert made.accepted > 0
    assert "more hours" not in str(made)


@pytest.mark.parametrize("apart", [0.0, 1.5])
def test_the_bound_holds_in_95_of_100_draws_also_where_recordings_differ(apart: float) -> None:
    made = [promise(background(seed, 60, 0.1, apart=apart), Budget(2.0)) for seed in range(60)]
    assert np.mean([true_rate(each.threshold, apart) <= each.bound for each in made]) >= 0.93


def test_the_bound_of_independent_events_is_broken_where_recordings_differ() -> None:
    made = [promise(background(seed, 60, 0.1, apart=1.5), Budget(2.0)) for seed in range(40)]
    narrow = [rate_bound(each.accepted, each.hours, 0.95) for each in made]
    held = [true_rate(each.threshold, 1.5) <= bound for each, bound in zip(made, narrow, strict=True)]
    assert np.mean(held) < 0.85


def test_no_recordings_are_refused() -> None:
    with pytest.raises(ValueError, match="there are none"):
        Background([], 3)
