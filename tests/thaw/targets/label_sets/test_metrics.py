"""Measures of label sets, against scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as theirs

from thaw.foundation.statistics.bootstrap import Resampling, resampled_counts
from thaw.targets.label_sets.metrics import (
    METRIC_NAMES,
    average_precisions,
    beside,
    label_scores,
    measure_sets,
    reliability_of_sets,
    resampled_mean_average_precision,
)

FEW = Resampling(resamples=50)


def drawn(seed: int, rows: int = 60, classes: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities with ties, what is named, and what is shown."""
    generator = np.random.default_rng(seed)
    probabilities = generator.integers(0, 11, (rows, classes)).astype(np.float32) / 10
    targets = generator.random((rows, classes)) < (0.2 + 0.6 * probabilities)
    return probabilities, probabilities >= 0.55, targets


@given(st.integers(0, 200))
@settings(max_examples=25)
def test_values_are_scikit_learns_and_lie_in_their_intervals(seed: int) -> None:
    probabilities, named, targets = drawn(seed)
    found = measure_sets(probabilities, named, targets, resampling=FEW)
    assert found.micro_f1.value == pytest.approx(theirs.f1_score(targets, named, average="micro"))
    assert found.macro_f1.value == pytest.approx(theirs.f1_score(targets, named, average="macro"))
    expected = theirs.average_precision_score(targets, probabilities, average="macro")
    assert found.mean_average_precision.value == pytest.approx(expected)
    assert found.exact_match.value == pytest.approx(theirs.accuracy_score(targets, named))
    assert found.hamming_loss.value == pytest.approx(theirs.hamming_loss(targets, named))
    decisions = theirs.log_loss(targets.ravel(), np.clip(probabilities.ravel(), 1e-7, 1 - 1e-7))
    assert found.log_loss.value == pytest.approx(decisions, rel=1e-3)
    for name in METRIC_NAMES:
        estimate = getattr(found, name)
        assert estimate.low <= estimate.value <= estimate.high


def test_resampled_average_precision_is_scikit_learns_with_weights() -> None:
    probabilities, _, targets = drawn(3, rows=40)
    targets[:, 3] = np.arange(40) < 1  # a class that some resamples miss
    for counts in resampled_counts(40, Resampling(resamples=8)):
        found = resampled_mean_average_precision(probabilities, targets, counts)
        for row, count in enumerate(counts):
            known = [
                theirs.average_precision_score(targets[:, place], probabilities[:, place], sample_weight=count)
                for place in range(4)
                if count @ targets[:, place]
            ]
            assert found[row] == pytest.approx(np.mean(known))


def test_what_is_not_defined_is_none_and_never_a_warning() -> None:
    probabilities = np.full((5, 2), 0.1, np.float32)
    nothing = np.zeros((5, 2), np.bool_)
    found = measure_sets(probabilities, nothing, nothing, resampling=FEW)
    assert found.macro_f1.value == found.micro_f1.value == found.mean_average_precision.value == 0
    assert found.exact_match.value == 1
    assert average_precisions(probabilities, nothing) == [None, None]
    (score, _) = label_scores(probabilities, nothing, nothing, ("ant", "bee"))
    assert (score.precision, score.recall, score.f1, score.average_precision) == (None, None, None, None)
    with pytest.raises(ValueError, match="not"):
        measure_sets(probabilities, nothing[:, :1], nothing)


def test_the_matrix_beside_counts_by_hand() -> None:
    targets = np.array([[1, 1, 0], [1, 0, 0], [1, 0, 1]], np.bool_)
    named = np.array([[1, 0, 1], [1, 1, 0], [0, 1, 1]], np.bool_)
    found, of = beside(named, targets)
    assert found.tolist() == [[2, 2, 1], [0, 0, 1], [0, 1, 1]]
    assert of.tolist() == [[3, 2, 2], [0, 1, 1], [0, 1, 1]]


def test_honest_probabilities_lie_on_the_diagonal() -> None:
    generator = np.random.default_rng(0)
    probabilities = generator.random((4000, 3)).astype(np.float32)
    targets = generator.random((4000, 3)) < probabilities
    bins = reliability_of_sets(probabilities, targets, 10)
    assert sum(one.n for one in bins) == 12_000
    assert all(abs((one.confidence or 0) - (one.accuracy or 0)) < 0.05 for one in bins)
    assert measure_sets(probabilities, probabilities > 0.5, targets, resampling=FEW).ece.value < 0.02
