"""Thresholds with a bound: never more accepted than asked for, and the bound is the one of the textbooks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from thaw.foundation.statistics.binomial_bound import accepts_allowed, rows_needed, threshold_for, upper_bound

RATES = st.floats(0.001, 0.5)
CONFIDENCES = st.floats(0.6, 0.999)
SCORES = st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=300).map(np.array)


@given(st.integers(1, 500), st.data(), CONFIDENCES)
def test_the_bound_is_clopper_and_pearsons_and_above_the_rate(n: int, data: st.DataObject, confidence: float) -> None:
    accepted = data.draw(st.integers(0, n))
    found = upper_bound(accepted, n, confidence)
    # With a rate at the bound, no more than these are accepted in 1 - c of all samples.
    assert accepted == n or binom.cdf(accepted, n, found) == pytest.approx(1 - confidence, abs=1e-6)
    assert accepted / n <= found <= 1


@given(RATES, CONFIDENCES)
def test_so_many_rows_are_needed_and_no_fewer(rate: float, confidence: float) -> None:
    needed = rows_needed(rate, confidence)
    assert upper_bound(0, needed, confidence) <= rate + 1e-9
    assert needed == 1 or upper_bound(0, needed - 1, confidence) > rate - 1e-9


def test_the_rule_of_three() -> None:
    assert rows_needed(0.05, 0.95) == 59


@given(st.integers(1, 2000), RATES, CONFIDENCES)
def test_the_allowance_is_the_most_whose_bound_holds(n: int, rate: float, confidence: float) -> None:
    allowed = accepts_allowed(n, rate, confidence)
    assert allowed <= rate * n
    if n >= rows_needed(rate, confidence) + 1:
        assert upper_bound(allowed, n, confidence) <= rate + 1e-9
        assert upper_bound(allowed + 1, n, confidence) > rate - 1e-9
    elif n < rows_needed(rate, confidence):
        assert allowed == 0


@given(SCORES, RATES, CONFIDENCES)
def test_no_more_pass_than_asked_for_whatever_the_scores(unknown: np.ndarray, rate: float, confidence: float) -> None:
    passed = (unknown > threshold_for(unknown, rate, confidence)).sum()
    assert passed <= accepts_allowed(len(unknown), rate, confidence) <= rate * len(unknown)


@given(SCORES, RATES, RATES, CONFIDENCES)
def test_a_higher_rate_never_makes_it_stricter(unknown: np.ndarray, one: float, two: float, sure: float) -> None:
    low, high = sorted((one, two))
    assert threshold_for(unknown, high, sure) <= threshold_for(unknown, low, sure)


@given(SCORES, RATES, CONFIDENCES, CONFIDENCES)
def test_more_confidence_never_makes_it_laxer(unknown: np.ndarray, rate: float, one: float, two: float) -> None:
    low, high = sorted((one, two))
    assert threshold_for(unknown, rate, high) >= threshold_for(unknown, rate, low)


def test_the_promise_is_kept_in_95_of_100_draws() -> None:
    """The share of a uniform distribution beyond the threshold is 1 minus it: more than asked for in at most 5 % of draws."""
    draws = np.random.default_rng(0).random((2000, 150))
    broken = np.mean([1 - threshold_for(draw, 0.05, 0.95) > 0.05 for draw in draws])
    assert 0.01 < broken <= 0.06
