"""The tests behind drift: their statistics against known ones, and how often they raise a false alarm."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from thaw.drift.answers import confidence_shift, holm, label_shift, neither_shift, share_of
from thaw.drift.inputs import auroc, gaussian_kernel, mmd, separation
from thaw.drift.measuring import find_drift
from thaw.drift.observed import Observed
from thaw.drift.permutation import p_value, regroupings
from thaw.drift.reference import Reference
from thaw.features.store.store import Layer
from thaw.params.sections import WatchParams


def rows(count: int, noise: np.random.Generator, shift: float = 0.0) -> Observed:
    """Answers and features without any class behind them."""
    features = noise.normal(shift, 1, (count, 6)).astype(np.float32)
    confidences = noise.random(count).astype(np.float32).round(1)
    named = np.eye(3, dtype=bool)[noise.integers(3, size=count)]
    return Observed(
        tuple(noise.bytes(32) for _ in range(count)), features, named, confidences, noise.random(count) < 0.9, confidences
    )  # fmt: skip


def reference(known: Observed) -> Reference:
    return Reference(Layer("f", "flatten", 6), ("ant", "bee", "wasp"), known, np.ones(len(known), bool))


def test_the_statistics_are_those_of_the_books() -> None:
    noise = np.random.default_rng(0)
    first, second = rows(40, noise), rows(25, noise, 0.5)
    kernel = gaussian_kernel(np.concatenate([first.features, second.features])).astype(np.float64)
    np.fill_diagonal(kernel, 0)
    within = kernel[:40, :40].sum() / (40 * 39) + kernel[40:, 40:].sum() / (25 * 24)
    assert mmd(first.features, second.features, 5, 0)[0] == pytest.approx(
        within - 2 * kernel[:40, 40:].mean(), abs=1e-6
    )

    counts = np.stack([first.named.sum(0), second.named.sum(0)])
    chi = stats.chi2_contingency(counts, correction=False).statistic
    assert label_shift(first.named, second.named, 5, 0)[0] == pytest.approx(chi)

    assert first.confidences is not None and second.confidences is not None
    distance = stats.ks_2samp(first.confidences, second.confidences).statistic
    assert confidence_shift(first.confidences, second.confidences, 5, 0)[0] == pytest.approx(distance), "with ties"

    scores, sample = noise.normal(size=65).round(1), np.repeat([0, 1], [40, 25])
    assert auroc(scores, 40) == pytest.approx(roc_auc_score(sample, scores))


def test_the_permutation_p_value_is_close_to_the_exact_one() -> None:
    noise = np.random.default_rng(1)
    first, second = noise.normal(0, 1, 60).astype(np.float32), noise.normal(0.3, 1, 50).astype(np.float32)
    exact = stats.ks_2samp(first, second, method="exact").pvalue
    assert 0.02 < exact < 0.5
    assert p_value(confidence_shift(first, second, 4000, 0)) == pytest.approx(exact, rel=0.2)


def test_regroupings_keep_the_sizes_and_come_again_with_the_seed() -> None:
    ways = regroupings(3, 5, 50, 7)
    assert ways[:, 0].tolist() == [1, 1, 1, 0, 0, 0, 0, 0]
    assert (ways.sum(0) == 3).all() and len(np.unique(ways.T, axis=0)) > 20
    assert (ways == regroupings(3, 5, 50, 7)).all()


def test_where_all_rows_are_equal_nothing_is_shown() -> None:
    same = np.ones((20, 4), np.float32)
    assert p_value(mmd(same[:9], same[9:], 50, 0)) == 1
    assert p_value(confidence_shift(same[:9, 0], same[9:, 0], 50, 0)) == 1
    assert p_value(label_shift(same[:9] > 0, same[9:] > 0, 50, 0)) == 1
    assert p_value(label_shift(same[:9] > 1, same[9:] > 1, 50, 0)) == 1, "sets may be empty"
    assert neither_shift(same[:9, 0] > 0, same[9:, 0] > 0) == 1


def test_false_alarms_are_no_more_than_stated_and_p_values_are_spread_evenly() -> None:
    """400 batches of the same distribution, of a model that names one class and may say `neither`: 10 % are asked for."""
    noise, params, draws = np.random.default_rng(2), WatchParams(false_alarms=0.1, permutations=60), 400
    found = [find_drift(reference(rows(35, noise)), rows(30, noise), params) for _ in range(draws)]
    alarms = sum(any(one.drifted for one in findings) for findings in found)
    assert alarms <= stats.binom.ppf(0.9999, draws, 0.1)
    assert alarms > 0, "a test that never finds anything would pass too"
    inputs = np.array([findings[0].p_value for findings in found])
    for share in (0.1, 0.5, 0.9):
        low, high = stats.binom.ppf((0.0001, 0.9999), draws, share)
        assert low <= (inputs <= share).sum() <= high


def test_a_shift_is_found_even_in_few_rows() -> None:
    noise, params = np.random.default_rng(3), WatchParams(false_alarms=0.05, permutations=200)
    found = find_drift(reference(rows(60, noise)), rows(30, noise, 1.0), params)
    assert [one.what for one in found if one.drifted] == ["inputs"]


def test_a_classifier_that_never_saw_the_rows_finds_no_difference_where_there_is_none() -> None:
    noise = np.random.default_rng(4)
    scores = separation(rows(200, noise).features, rows(200, noise).features, 0)
    assert auroc(scores, 200) == pytest.approx(0.5, abs=0.08), "it would be near 1 on rows that it learnt from"


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_never_lowers_a_p_value_nor_changes_their_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    order = np.argsort(p_values, kind="stable")
    assert all(p <= fair <= 1 for p, fair in zip(p_values, adjusted, strict=True))
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()
    assert min(adjusted) == min(1, len(p_values) * min(p_values)), "some test is found false as often as by Bonferroni"


@given(st.integers(1, 60), st.data())
def test_the_interval_of_a_share_holds_it(count: int, data: st.DataObject) -> None:
    chosen = np.arange(count) < data.draw(st.integers(0, count))
    share = share_of(chosen, 0.95)
    assert 0 <= share.low <= share.value <= share.high <= 1 and share.value == chosen.mean()
