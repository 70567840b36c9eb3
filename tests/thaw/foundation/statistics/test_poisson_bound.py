"""Bounds of rates: the textbook's for independent events, wider where events come together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import poisson

from thaw.foundation.statistics.poisson_bound import dispersion_of, events_allowed, hours_needed, rate_bound

HOURS = st.floats(0.1, 1000)
RATES = st.floats(0.01, 20)
CONFIDENCES = st.floats(0.6, 0.999)
DISPERSIONS = st.floats(1, 30)


@given(st.integers(0, 200), HOURS, CONFIDENCES)
def test_a_rate_at_the_bound_gives_so_few_events_in_one_minus_c_of_all_samples(
    events: int, hours: float, confidence: float
) -> None:
    bound = rate_bound(events, hours, confidence)
    assert poisson.cdf(events, bound * hours) == pytest.approx(1 - confidence, rel=1e-6)
    assert bound > events / hours


def test_the_rule_of_three() -> None:
    assert rate_bound(0, 6.0, 0.95) == pytest.approx(0.5, abs=0.001)
    assert hours_needed(0.5, 0.95) == pytest.approx(5.99, abs=0.01)
    assert events_allowed(5.9, 0.5, 0.95) is None
    assert events_allowed(6.0, 0.5, 0.95) == 0


@given(HOURS, RATES, CONFIDENCES, DISPERSIONS)
def test_the_allowance_is_the_most_whose_bound_holds(
    hours: float, rate: float, confidence: float, dispersion: float
) -> None:
    allowed = events_allowed(hours, rate, confidence, dispersion)
    if allowed is None:
        assert rate_bound(0, hours, confidence, dispersion) > rate
    else:
        assert rate_bound(allowed, hours, confidence, dispersion) <= rate * (1 + 1e-9)
        assert rate_bound(allowed + 1, hours, confidence, dispersion) > rate * (1 - 1e-9)


@given(st.integers(0, 50), HOURS, st.floats(0.6, 0.99), DISPERSIONS, DISPERSIONS)
def test_events_that_come_together_never_narrow_the_bound(
    events: int, hours: float, confidence: float, one: float, two: float
) -> None:
    low, high = sorted((one, two))
    assert rate_bound(events, hours, confidence, low) <= rate_bound(events, hours, confidence, high) * (1 + 1e-9)


@given(st.integers(0, 50), RATES, DISPERSIONS)
def test_the_hours_needed_show_the_rate(events: int, rate: float, dispersion: float) -> None:
    hours = hours_needed(rate, 0.95, events=events, dispersion=dispersion)
    assert rate_bound(events, hours, 0.95, dispersion) == pytest.approx(rate)


def test_the_dispersion_is_one_of_independent_events_and_the_size_of_clusters() -> None:
    draw = np.random.default_rng(0)
    hours = draw.uniform(0.5, 2, 4000)
    counts = draw.poisson(0.3 * hours)
    assert dispersion_of(counts, hours, 0.95) == pytest.approx(1, abs=0.1)
    assert dispersion_of(4 * counts, hours, 0.95) == pytest.approx(4, rel=0.1)
    assert dispersion_of(0 * counts, hours, 0.95) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    ("hours", "least"), [([1.0], 10), ([1.0, 1.0], 10), ([5.0, 5.0, *[0.01] * 200], 3), ([1.0] * 5, 1.5)]
)
def test_few_groups_widen_the_dispersion_and_large_ones_among_small_count_as_few(
    hours: list[float], least: float
) -> None:
    assert dispersion_of(np.zeros(len(hours), np.int64), np.array(hours), 0.95) > least
    assert dispersion_of(np.ones(len(hours), np.int64), np.array(hours), 0.95) > least


def test_one_group_with_all_events_widens_the_dispersion() -> None:
    hours, one = np.ones(50), np.zeros(50, np.int64)
    one[0] = 4
    assert dispersion_of(one, hours, 0.95) > 3.5 * dispersion_of(one // 4 + 1, hours, 0.95)


def test_the_bound_holds_where_a_few_large_groups_differ() -> None:
    """Speakers of 0.1 hours and 100 short recordings, of which half tune; the rates of groups differ by a gamma variable."""
    draw, hours = np.random.default_rng(2), np.array([*[0.1] * 4, *[0.002] * 100])
    held = list[bool]()
    for _ in range(400):
        counts = draw.poisson(20 * draw.gamma(1.0, 1.0, len(hours)) * hours)
        heard = draw.permutation(len(hours)) % 2 == 0
        known, unheard = (counts[each] for each in (heard, ~heard))
        spread = dispersion_of(known, hours[heard], 0.95)
        bound = rate_bound(int(known.sum()), hours[heard].sum(), 0.95, spread)
        held.append(bool(unheard.sum() / hours[~heard].sum() <= bound))
    assert np.mean(held) >= 0.93


def test_the_bound_of_clusters_holds_in_95_of_100_draws_where_the_poisson_bound_does_not() -> None:
    rate, size, hours = 2.0, 4, 6.0
    counts = size * np.random.default_rng(1).poisson(rate / size * hours, 2000)
    bounds = {each: np.mean([rate_bound(int(c), hours, 0.95, each) >= rate for c in counts]) for each in (1.0, 4.0)}
    assert bounds[4.0] >= 0.93 > bounds[1.0]


@pytest.mark.parametrize(("hours", "dispersion"), [(0.0, 1.0), (1.0, 0.5)])
def test_no_hours_and_too_small_a_dispersion_are_refused(hours: float, dispersion: float) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        rate_bound(0, hours, 0.95, dispersion)
