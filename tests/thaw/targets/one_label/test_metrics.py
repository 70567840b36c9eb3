"""Metrics agree with scikit-learn's, and their intervals behave."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from thaw.foundation.statistics.bootstrap import Resampling
from thaw.targets.one_label.metrics import class_scores, confusion_matrix, measure, reliability


def rows(seed: int, count: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    targets = random.integers(0, classes, count)
    logits = random.normal(size=(count, classes)) + 2 * np.eye(classes)[targets] * random.random((count, 1))
    probabilities = np.exp(logits)
    return probabilities / probabilities.sum(1, keepdims=True), targets


@settings(max_examples=25)
@given(st.integers(0, 999), st.integers(2, 60), st.integers(2, 6))
def test_values_are_scikit_learns_and_lie_in_their_intervals(seed: int, count: int, classes: int) -> None:
    probabilities, targets = rows(seed, count, classes)
    predicted = probabilities.argmax(1)
    found = measure(probabilities, targets, resampling=Resampling(50))
    assert found.accuracy.value == pytest.approx(reference.accuracy_score(targets, predicted))
    assert found.macro_f1.value == pytest.approx(reference.f1_score(targets, predicted, average="macro"))
    recalls = reference.recall_score(targets, predicted, labels=np.unique(targets), average="macro", zero_division=0)
    assert found.balanced_accuracy.value == pytest.approx(recalls)
    loss = reference.log_loss(targets, probabilities, labels=range(classes))
    assert found.log_loss.value == pytest.approx(loss, rel=1e-5)
    for estimate in vars(found).values():
        assert estimate.low <= estimate.high


def test_an_interval_narrows_as_rows_grow_and_is_the_same_for_the_same_seed() -> None:
    few, many = (measure(*rows(0, count, 3)).accuracy for count in (50, 5000))
    assert many.high - many.low < (few.high - few.low) / 5
    assert measure(*rows(0, 50, 3)) == measure(*rows(0, 50, 3))


def test_a_calibrated_model_has_less_calibration_error_than_an_overconfident_one() -> None:
    random = np.random.default_rng(0)
    confidence = random.uniform(0.5, 1, 4000)
    targets = (random.random(4000) > confidence).astype(int)
    honest = np.stack([confidence, 1 - confidence], 1)
    sure = np.stack([np.full(4000, 0.999), np.full(4000, 0.001)], 1)
    assert measure(honest, targets).ece.value < 0.03
    assert measure(sure, targets).ece.value > 0.2
    bins = reliability(honest, targets, 10)
    assert sum(one.n for one in bins) == 4000
    filled = [one for one in bins if one.n > 200]
    assert all(abs((one.confidence or 0) - (one.accuracy or 0)) < 0.08 for one in filled)


def test_classes_are_scored_each_and_undefined_scores_are_none() -> None:
    confusion = confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 3)
    assert confusion.tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 0]]
    ant, bee, cat = class_scores(confusion, ("ant", "bee", "cat"))
    assert (ant.precision, ant.recall, bee.recall, bee.n) == (0.5, 1.0, 0.5, 2)
    assert cat.precision is None and cat.recall is None and cat.f1 is None


def test_what_cannot_be_measured_is_refused() -> None:
    for probabilities, targets in [
        (np.empty((0, 2)), np.empty(0, int)),
        (np.ones((3, 2)), np.zeros(2, int)),
        (np.ones((2, 2)), np.array([0, 2])),
    ]:
        with pytest.raises(ValueError):
            measure(probabilities, targets)
