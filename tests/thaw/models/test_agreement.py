"""How far two answers agree."""

from dataclasses import dataclass

import numpy as np
import pytest

from thaw.models.agreement import agreement_of


@dataclass
class Answered:
    probabilities: np.ndarray
    labels: list[object]


def test_labels_are_counted_and_the_largest_difference_is_found() -> None:
    one = Answered(np.array([[0.25, 0.75], [0.5, 0.5]], np.float32), ["b", "a"])
    other = Answered(np.array([[0.25, 0.75], [0.375, 0.625]], np.float32), ["b", "b"])
    found = agreement_of(one, other)
    assert (found.labels_equal, found.largest_difference) == (0.5, 0.125)
    assert agreement_of(one, one).labels_equal == 1 and agreement_of(one, one).largest_difference == 0


def test_sets_are_equal_only_whole() -> None:
    numbers = np.zeros((3, 2), np.float32)
    found = agreement_of(Answered(numbers, [["a"], [], ["a", "b"]]), Answered(numbers, [["a"], [], ["a"]]))
    assert found.labels_equal == pytest.approx(2 / 3, abs=1e-6)


def test_rows_that_are_missing_are_no_agreement() -> None:
    with pytest.raises(ValueError, match="zip"):
        agreement_of(Answered(np.zeros((2, 2)), ["a", "b"]), Answered(np.zeros((2, 2)), ["a"]))
