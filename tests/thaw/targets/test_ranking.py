"""AUROC and average precision against scikit-learn's, and operating points on rows that chose them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from thaw.foundation.statistics.bootstrap import Resampling
from thaw.targets.operating_points import rates_at, threshold_at
from thaw.targets.predictions import Predictions
from thaw.targets.ranking import areas, rank_classes

STATED = (("specificity", 0.9), ("sensitivity", 0.8))


def predictions(scores: np.ndarray, shown: np.ndarray) -> Predictions:
    numbers = range(len(shown))
    digests, paths = tuple(bytes([n % 256]) * 32 for n in numbers), tuple(map(str, numbers))
    both = np.stack([1 - scores, scores], 1).astype(np.float32)
    return Predictions(("a", "b"), digests, paths, shown.astype(np.int64), both)


def drawn(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    shown = random.random(rows) < 0.4
    return np.round(1 / (1 + np.exp(-(random.normal(size=rows) + 2 * shown - 1))), 2), shown


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(3, 60))
def test_they_equal_scikit_learn_s_with_weights_and_ties(seed: int, rows: int) -> None:
    scores, shown = drawn(rows, seed)
    counts = np.random.default_rng(seed).integers(0, 4, (5, rows)).astype(np.float64)
    for weights, auroc, precision in zip(counts, *areas(scores, shown, counts), strict=True):
        if not (weights[shown].any() and weights[~shown].any()):
            assert np.isnan(auroc) and np.isnan(precision)
            continue
        assert auroc == pytest.approx(roc_auc_score(shown, scores, sample_weight=weights))
        assert precision == pytest.approx(average_precision_score(shown, scores, sample_weight=weights))


def test_intervals_over_groups_are_wider_where_rows_of_a_group_are_alike() -> None:
    scores, shown = drawn(40)
    once, often = predictions(scores, shown), predictions(np.repeat(scores, 10), np.repeat(shown, 10))
    resampling = Resampling(300)
    (_, alone) = rank_classes(once, None, STATED, np.arange(40), resampling)
    (_, grouped) = rank_classes(often, None, STATED, np.repeat(np.arange(40), 10), resampling)
    (_, rows) = rank_classes(often, None, STATED, np.arange(400), resampling)
    assert grouped.auroc.value == pytest.approx(alone.auroc.value)
    assert grouped.auroc.low == pytest.approx(alone.auroc.low, abs=1e-6)
    assert rows.auroc.low > grouped.auroc.low + 0.03
    assert alone.roc[0] == (0, 0) and alone.roc[-1] == (1, 1) and alone.points == ()


def test_a_perfect_ranking_of_few_rows_is_not_certain() -> None:
    shown = np.arange(12) >= 6
    (_, found) = rank_classes(predictions(shown * 0.9, shown), None, STATED, np.arange(12), Resampling(50))
    assert (found.auroc.value, found.auroc.high) == (1, 1) and 0.5 < found.auroc.low < 0.6


def test_a_class_that_all_rows_show_or_none_is_left_out() -> None:
    shown = np.ones(5, np.bool_)
    assert rank_classes(predictions(np.linspace(0, 1, 5), shown), None, STATED, np.arange(5), Resampling(9)) == ()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(4, 80), st.sampled_from([0.5, 0.8, 0.9, 0.99]))
def test_a_threshold_reaches_what_is_stated_and_no_other_names_the_classes_better(
    seed: int, rows: int, stated: float
) -> None:
    scores, shown = drawn(rows, seed)
    for aim, further, sides in (("specificity", "below", ~shown), ("sensitivity", "above", shown)):
        threshold = threshold_at(aim, stated, scores, shown)  # type: ignore[arg-type]
        if threshold is None:
            assert shown.all() or not shown.any()
            continue
        assert getattr(rates_at(threshold, scores, shown, np.arange(rows), 0.95), aim).value >= stated - 1e-9
        nearest = scores[sides & (scores < threshold if further == "below" else scores >= threshold)]
        if len(nearest):
            other = nearest.max() if further == "below" else np.nextafter(nearest.min(), 2)
            assert getattr(rates_at(other, scores, shown, np.arange(rows), 0.95), aim).value < stated


def test_points_are_chosen_on_validation_and_measured_on_the_test() -> None:
    test, validation = predictions(*drawn(200, 1)), predictions(*drawn(300, 2))
    (_, found) = rank_classes(test, validation, STATED, np.arange(200), Resampling(20))
    for (aim, stated), point in zip(STATED, found.points, strict=True):
        chosen = threshold_at(aim, stated, validation.probabilities[:, 1], validation.shown[:, 1])
        assert (point.aim, point.stated, point.threshold) == (aim, stated, chosen)
        rows = test.shown[:, 1]
        assert point.rates.sensitivity is not None
        assert point.rates.sensitivity.value == (test.probabilities[rows, 1] >= chosen).mean()
        assert point.rates.positives + point.rates.negatives == 200
