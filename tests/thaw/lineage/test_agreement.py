"""Whether a rebuilt model is the same: what agrees, what does not, and what is said of it."""

from dataclasses import replace

import numpy as np
import pytest
from registration import predictions

from thaw.dataset.manifest import TEST, TRAIN, Example, build_manifest
from thaw.lineage.agreement import compare_manifests, compare_predictions
from thaw.targets.predictions import Predictions

METRICS = (
    {"n": 3, "accuracy": 0.5, "accuracy_low": 0.1, "ece": 0.2},
    {"n": 3, "accuracy": 0.5, "accuracy_low": 0.3, "ece": 0.9},
)


@pytest.fixture
def said() -> Predictions:
    return predictions(["ant", "bee", "ant"], ["ant", "bee", "bee"])


def moved(said: Predictions, by: float) -> Predictions:
    """The same, with the first row a little less sure."""
    probabilities = said.probabilities.copy()
    probabilities[0] += np.array([-by, by], np.float32)
    return replace(said, probabilities=probabilities)


def test_the_same_agrees_whatever_the_order_of_the_rows(said: Predictions) -> None:
    order = [2, 0, 1]
    shuffled = replace(
        said,
        digests=tuple(said.digests[row] for row in order),
        paths=tuple(said.paths[row] for row in order),
        targets=said.targets[order],
        probabilities=said.probabilities[order],
    )
    found = compare_predictions(said, shuffled, METRICS)
    assert found.agrees and (found.rows, found.largest_difference, found.labels_equal) == (3, 0.0, 1.0)
    assert [one.name for one in found.metrics] == ["accuracy", "ece"], "no counts, no bounds"
    assert found.metrics[1].difference > found.tolerance, "a binned figure may jump; it is told of and does not judge"


@pytest.mark.parametrize(("by", "agrees"), [(0.009, True), (0.02, False)])
def test_the_tolerance_decides(said: Predictions, by: float, agrees: bool) -> None:
    found = compare_predictions(said, moved(said, by), METRICS)
    assert found.agrees is agrees and found.largest_difference == pytest.approx(by, abs=1e-6)
    assert compare_predictions(said, moved(said, by), METRICS, tolerance=0.5).agrees


def test_other_labels_are_counted(said: Predictions) -> None:
    found = compare_predictions(said, moved(said, 0.9), METRICS, tolerance=1.0)
    assert found.labels_equal == pytest.approx(2 / 3)


def test_missing_rows_other_truth_other_metrics_and_other_classes_disagree(said: Predictions) -> None:
    fewer = predictions(["ant", "bee"], ["ant", "bee"])
    assert (
        not compare_predictions(said, fewer, METRICS).agrees and compare_predictions(said, fewer, METRICS).missing == 1
    )
    assert compare_predictions(fewer, said, METRICS).added == 1
    assert not compare_predictions(said, replace(said, targets=said.targets[::-1].copy() * 0), METRICS).agrees
    assert not compare_predictions(said, said, ({"accuracy": 0.5}, {"accuracy": 0.6})).agrees
    others = replace(said, class_names=("ant", "wasp"))
    found = compare_predictions(said, others, METRICS)
    assert not found.agrees and found.rows == 0


def test_sets_of_labels_are_compared_row_by_row(said: Predictions) -> None:
    targets = np.array([[True, False], [False, True], [True, True]])
    sets = Predictions(said.class_names, said.digests, said.paths, targets, targets.astype(np.float32), targets)
    other = replace(sets, decided=np.array([[True, False], [False, True], [True, False]]))
    assert compare_predictions(sets, sets, METRICS).agrees
    assert compare_predictions(sets, other, METRICS).labels_equal == pytest.approx(2 / 3)
    assert not compare_predictions(said, sets, METRICS).agrees, "one names a class, the other sets"


def test_manifests_are_compared_by_path() -> None:
    def example(path: str, byte: int, label: str = "ant", split: str = TRAIN) -> Example:
        return Example(bytes([byte]) * 32, path, label, split, None, (1, 1, 3), 1)

    before = build_manifest([example("a", 1), example("b", 2), example("c", 3), example("d", 4), example("e", 5)])
    after = build_manifest(
        [example("a", 1), example("b", 9), example("c", 3, "bee"), example("d", 4, split=TEST), example("f", 6)]
    )
    found = compare_manifests(before, after)
    assert (found.gone, found.added, found.changed, found.relabelled) == (("e",), ("f",), ("b",), ("c", "d"))
    assert compare_manifests(before, before).none and not found.none
