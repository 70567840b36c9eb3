"""Paired comparisons: exact, symmetric, and honest about noise."""

import numpy as np
import pytest
from scipy.stats import binomtest, ttest_1samp

from thaw.foundation.statistics.bootstrap import Resampling
from thaw.targets.paired import compare, mcnemar, paired_interval


def test_mcnemar_is_the_exact_binomial_test() -> None:
    assert mcnemar(9, 1) == pytest.approx(binomtest(9, 10).pvalue)
    assert mcnemar(0, 0) == 1
    assert mcnemar(3, 8) == mcnemar(8, 3)


def test_a_better_classifier_is_found_and_the_other_way_round_is_its_mirror() -> None:
    random = np.random.default_rng(0)
    targets = random.integers(0, 3, 600)
    good = np.where(random.random(600) < 0.9, targets, (targets + 1) % 3)
    poor = np.where(random.random(600) < 0.7, targets, (targets + 1) % 3)
    found, mirror = compare(good, poor, targets), compare(poor, good, targets)
    assert found.macro_f1_difference.low > 0 and found.mcnemar_p < 1e-6
    assert mirror.accuracy_difference.value == pytest.approx(-found.accuracy_difference.value)
    assert (found.only_first, found.only_second) == (mirror.only_second, mirror.only_first)


def test_equal_classifiers_are_called_different_no_more_often_than_stated() -> None:
    random = np.random.default_rng(1)
    alarms = 0
    for _ in range(200):
        targets = random.integers(0, 2, 150)
        first, second = (np.where(random.random(150) < 0.8, targets, 1 - targets) for _ in range(2))
        alarms += compare(first, second, targets, Resampling(200)).mcnemar_p < 0.05
    assert alarms <= 18  # 5 % of 200 is 10; McNemar's exact test is conservative


def test_the_same_predictions_differ_by_nothing() -> None:
    targets = np.array([0, 1, 1, 0])
    found = compare(targets, targets, targets)
    assert (found.mcnemar_p, found.macro_f1_difference.low, found.macro_f1_difference.high) == (1, 0, 0)
    with pytest.raises(ValueError, match="predictions"):
        compare(targets[:2], targets, targets)


def test_the_interval_over_seeds_is_students() -> None:
    differences = [0.05, 0.03, 0.06, 0.04]
    low, high = ttest_1samp(differences, 0).confidence_interval(0.95)
    found = paired_interval(differences)
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
    with pytest.raises(ValueError, match="at least 2"):
        paired_interval([0.1])
