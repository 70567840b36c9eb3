"""Paired differences over draws and test images."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from thaw.foundation.statistics.bootstrap import Resampling
from thaw.strategies.certificate.paired import paired, score
from thaw.targets.label_sets.target import LABEL_SETS
from thaw.targets.one_label.target import ONE_LABEL
from thaw.targets.paired import headline_difference

FEW = Resampling(400)


def table(classes: np.ndarray, count: int = 3) -> np.ndarray:
    """The class of each row as what is named: bool [..., N, C]."""
    return np.eye(count, dtype=np.bool_)[classes]


def some(seed: int, draws: int = 3, rows: int = 60, classes: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    noise = np.random.default_rng(seed)
    targets = noise.integers(classes, size=rows)
    good = np.where(noise.random((draws, rows)) < 0.9, targets, noise.integers(classes, size=(draws, rows)))
    poor = np.where(noise.random((draws, rows)) < 0.5, targets, noise.integers(classes, size=(draws, rows)))
    return good, poor, targets


@given(seed=st.integers(0, 1000))
@settings(max_examples=20)
def test_values_are_the_means_of_accuracy_and_macro_f1_over_draws(seed: int) -> None:
    good, _, targets = some(seed)
    found = score(table(good), table(targets), FEW)
    assert found.accuracy.value == pytest.approx(np.mean([(one == targets).mean() for one in good]))
    assert found.macro_f1.value == pytest.approx(np.mean([f1_score(targets, one, average="macro") for one in good]))
    assert found.accuracy.low <= found.accuracy.value <= found.accuracy.high


@given(seed=st.integers(0, 1000))
@settings(max_examples=20)
def test_a_difference_turned_round_changes_its_sign(seed: int) -> None:
    good, poor, targets = some(seed)
    sides = table(good), table(poor)
    one, other = paired(*sides, table(targets), FEW), paired(*sides[::-1], table(targets), FEW)
    for name in ("accuracy", "macro_f1"):
        first, second = getattr(one, name), getattr(other, name)
        assert first.value == pytest.approx(-second.value)
        assert (first.low, first.high) == (pytest.approx(-second.high), pytest.approx(-second.low))


def test_the_same_predictions_differ_by_nothing() -> None:
    good, _, targets = some(0)
    found = paired(table(good), table(good), table(targets), FEW)
    assert (found.accuracy.value, found.accuracy.low, found.accuracy.high) == (0, 0, 0)


def test_with_one_draw_it_is_the_paired_bootstrap_over_rows() -> None:
    good, poor, targets = some(1, draws=1, rows=200)
    mine = paired(table(good), table(poor), table(targets), Resampling(2000)).accuracy
    tallies = [(one == targets)[..., None] for one in (good, poor)]
    known = headline_difference(ONE_LABEL, *tallies, Resampling(2000))
    assert (mine.value, mine.low, mine.high) == pytest.approx((known.value, known.low, known.high))


def test_draws_that_disagree_widen_the_interval() -> None:
    good, poor, targets = some(2, draws=2, rows=400)
    right, better, worse = table(targets), table(good), table(poor)
    alike = paired(np.stack([better[0]] * 4), np.stack([worse[0]] * 4), right, FEW).accuracy
    mixed = paired(np.stack([better[0], worse[0]] * 2), np.stack([worse[0]] * 4), right, FEW).accuracy
    assert mixed.high - mixed.low > 2 * (alike.high - alike.low)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    held = 0
    truth = (0.9 + 0.1 / 3) - (0.5 + 0.5 / 3)
    for seed in range(60):
        found = paired(*map(table, some(seed, rows=80)), Resampling(300, seed=seed)).accuracy
        held += found.low <= truth <= found.high
    assert held >= 53  # 95 % of 60, less three standard errors


def test_sets_are_wholly_right_or_not_and_macro_f1_decides() -> None:
    shown = np.random.default_rng(0).random((80, 4)) < 0.4
    named = np.stack([shown ^ (np.random.default_rng(seed).random((80, 4)) < 0.1) for seed in (1, 2)])
    found = score(named, shown, FEW)
    assert found.accuracy.value == pytest.approx(np.mean([(draw == shown).all(1).mean() for draw in named]))
    assert found.macro_f1.value == pytest.approx(np.mean([f1_score(shown, draw, average="macro") for draw in named]))
    assert found.headline(LABEL_SETS) == found.macro_f1 and found.headline(ONE_LABEL) == found.accuracy
