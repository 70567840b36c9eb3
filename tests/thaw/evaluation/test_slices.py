"""The scores of slices: each from its own rows, wide where there are few."""

import numpy as np
import pytest

from thaw.dataset.slices import Slices
from thaw.evaluation.slices import FEW, SliceScore, score_slices
from thaw.targets.predictions import Predictions

SITES: tuple[str | None, ...] = ("north",) * 40 + ("south",) * 4 + (None,) * 6


def predictions(right: np.ndarray, sure: float = 0.8) -> Predictions:
    rows = len(right)
    targets = np.arange(rows) % 2
    named = np.where(right, targets, 1 - targets)
    probabilities = np.full((rows, 2), 1 - sure, np.float32)
    probabilities[np.arange(rows), named] = sure
    digests = tuple(number.to_bytes(32, "big") for number in range(rows))
    return Predictions(("a", "b"), digests, tuple(map(str, range(rows))), targets, probabilities)


def scores(right: np.ndarray, groups: np.ndarray | None = None) -> tuple[SliceScore, ...]:
    found = predictions(right)
    slices = Slices(("site",), found.digests, found.paths, (SITES,))
    return score_slices(found, slices, np.arange(len(right)) if groups is None else groups, 0.95)


def test_each_value_has_its_own_rows_and_the_rest_is_not_stated() -> None:
    right = np.ones(50, np.bool_)
    right[:10] = right[40:42] = False
    north, south, unstated = scores(right)
    assert [(one.value, one.rows, one.groups, one.few) for one in (north, south, unstated)] == [
        ("north", 40, 40, False), ("south", 4, 4, True), (None, 6, 6, True),
    ]  # fmt: skip
    assert (north.accuracy.value, south.accuracy.value, unstated.accuracy.value) == (0.75, 0.5, 1.0)
    assert north.overconfidence.value == pytest.approx(0.05) and north.recall is not None
    assert north.recall.value == pytest.approx(0.75)


def test_few_rows_have_wide_intervals_even_if_all_are_right() -> None:
    north, south, unstated = scores(np.ones(50, np.bool_))
    assert north.accuracy.low > 0.9 and south.accuracy.low < 0.45 and 0.45 < unstated.accuracy.low < 0.6
    assert north.accuracy.high == south.accuracy.high == 1


def test_images_of_few_patients_tell_as_little_as_few_images() -> None:
    right, groups = np.ones(50, np.bool_), np.arange(50) // 20
    right[20:40] = False
    (north, *_) = scores(right, groups)
    assert north.groups == 2 and north.few and north.groups < FEW
    assert north.accuracy.low < 0.05 and north.accuracy.high > 0.95


def test_label_sets_have_the_recall_of_the_classes_that_a_slice_shows() -> None:
    shown = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 0]], np.bool_)
    named = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 1], [0, 0, 0]], np.bool_)
    found = Predictions(
        ("a", "b", "c"),
        tuple(bytes([n]) * 32 for n in range(4)),
        tuple("0123"),
        shown,
        named * 0.8 + np.float32(0.1),
        named,
    )
    slices = Slices(("site", "view"), found.digests, found.paths, (("n",) * 4, ("x", "x", "y", "y")))
    whole, x, y = score_slices(found, slices, np.arange(4), 0.95)
    assert (whole.column, x.column, y.value) == ("site", "view", "y")
    assert whole.recall is not None and whole.recall.value == 0.75 and whole.accuracy.value == 0.5
    assert y.recall is not None and y.recall.value == 1 and y.accuracy.value == 0.5
    empty = score_slices(found, Slices(("v",), found.digests, found.paths, (("x", "x", "x", "y"),)), np.arange(4), 0.95)
    assert empty[1].recall is None
