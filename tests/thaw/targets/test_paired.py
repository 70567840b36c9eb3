"""Paired comparisons: exact, symmetric, and honest about noise."""

import numpy as np
import pytest
import torch
from scipy.stats import binomtest, ttest_1samp
from sklearn.metrics import f1_score

from thaw.foundation.statistics.bootstrap import Resampling
from thaw.targets.label_sets.target import LABEL_SETS
from thaw.targets.one_label.target import ONE_LABEL
from thaw.targets.paired import headline_difference, headlines, mcnemar, paired_interval
from thaw.targets.target import BoolArray


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


def test_a_difference_has_the_sign_of_the_better_and_is_nothing_where_both_are_the_same() -> None:
    random = np.random.default_rng(0)
    good, poor = ((random.random((1, 600, 1)) < share) for share in (0.9, 0.7))
    found = headline_difference(ONE_LABEL, good, poor, Resampling(500))
    assert found.value == pytest.approx(good.mean() - poor.mean()) and 0 < found.low < found.value < found.high
    same = headline_difference(ONE_LABEL, good, good, Resampling(500))
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_of_sets_it_is_the_mean_difference_of_macro_f1_over_draws() -> None:
    random = np.random.default_rng(1)
    shown = torch.from_numpy(random.random((80, 4)) < 0.4)

    def tallies(noise: float) -> BoolArray:
        wrong = torch.from_numpy(random.random((3, 80, 4)) < noise)
        return np.stack([LABEL_SETS.tally(shown ^ draw, shown) for draw in wrong])

    good, poor = tallies(0.05), tallies(0.3)
    found = headline_difference(LABEL_SETS, good, poor, Resampling(300))
    f1 = [np.mean([f1_score(shown, draw[:, 8:], average="macro") for draw in part]) for part in (good, poor)]
    assert headlines(LABEL_SETS, good).mean() == pytest.approx(f1[0])
    assert found.value == pytest.approx(f1[0] - f1[1]) and 0 < found.low < found.value < found.high
