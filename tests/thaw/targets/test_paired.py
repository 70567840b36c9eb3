"""Paired comparisons: exact, symmetric, and honest about noise."""

import numpy as np
import pytest
from scipy.stats import binomtest, ttest_1samp

from thaw.foundation.statistics.bootstrap import Resampling
from thaw.targets.paired import mcnemar, mean_difference, paired_interval


def test_mcnemar_is_the_exact_binomial_test() -> None:
    assert mcnemar(9, 1) == pytest.approx(binomtest(9, 10).pvalue)
    assert mcnemar(0, 0) == 1
    assert mcnemar(3, 8) == mcnemar(8, 3)


def test_equal_classifiers_are_called_different_no_more_often_than_stated() -> None:
    random = np.random.default_rng(1)
    alarms = 0
    for _ in range(200):
        targets = random.integers(0, 2, 150)
        first, second = (np.where(random.random(150) < 0.8, targets, 1 - targets) for _ in range(2))
        right, theirs = first == targets, second == targets
        alarms += mcnemar(int((right & ~theirs).sum()), int((theirs & ~right).sum())) < 0.05
    assert alarms <= 18  # 5 % of 200 is 10; McNemar's exact test is conservative


def test_the_interval_over_seeds_is_students() -> None:
    differences = [0.05, 0.03, 0.06, 0.04]
    low, high = ttest_1samp(differences, 0).confidence_interval(0.95)
    found = paired_interval(differences)
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
    with pytest.raises(ValueError, match="at least 2"):
        paired_interval([0.1])


def test_a_mean_difference_has_the_sign_of_the_better_and_nothing_where_both_are_the_same() -> None:
    random = np.random.default_rng(0)
    good, poor = (random.random(600) < share for share in (0.9, 0.7))
    found = mean_difference(good.astype(float), poor.astype(float), Resampling(500))
    assert found.value == pytest.approx(good.mean() - poor.mean()) and 0 < found.low < found.value < found.high
    same = mean_difference(good.astype(float), good.astype(float), Resampling(500))
    assert (same.value, same.low, same.high) == (0, 0, 0)
