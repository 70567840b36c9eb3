"""Confidence against coverage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thaw.evaluation.selective import measure_selective, threshold_for
from thaw.targets.predictions import Predictions


def predictions(sure: list[float], right: list[bool]) -> Predictions:
    rows = len(sure)
    probabilities = np.stack([sure, 1 - np.array(sure)], 1).astype(np.float32)
    digests = tuple(bytes([number]) * 32 for number in range(rows))
    return Predictions(("a", "b"), digests, tuple(map(str, range(rows))), 1 - np.array(right, np.int64), probabilities)


@given(st.lists(st.tuples(st.integers(50, 99), st.booleans()), min_size=1, max_size=40), st.sampled_from([0.05, 0.2]))
def test_no_lower_confidence_keeps_the_stated_share(rows: list[tuple[int, bool]], stated: float) -> None:
    sure, wrong = np.array([row[0] / 100 for row in rows]), np.array([row[1] for row in rows], np.float64)
    found = threshold_for(sure, wrong, stated)
    kept = {float(each): wrong[sure >= each].mean() <= stated for each in sure}
    assert found == min((each for each, holds in kept.items() if holds), default=None)


def test_it_is_chosen_on_validation_and_measured_on_the_test() -> None:
    test = predictions([0.99, 0.95, 0.9, 0.8, 0.6, 0.55], [True, True, False, True, False, False])
    validation = predictions([0.98, 0.9, 0.7, 0.6], [True, True, False, False])
    found = measure_selective(test, validation, 0.1, np.arange(6), 0.95)
    assert found.chosen_on == 4 and found.selection is not None and found.selection.wrong is not None
    assert found.selection.threshold == pytest.approx(0.9)
    assert found.selection.coverage.value == 0.5 and found.selection.wrong.value == pytest.approx(1 / 3)
    assert found.selection.wrong.low < 0.02 and found.selection.wrong.high > 0.85
    assert found.curve[0] == (pytest.approx(1 / 6), 0) and found.curve[-1] == (1, 0.5)


def test_without_validation_or_where_nothing_reaches_it_there_is_no_confidence() -> None:
    test = predictions([0.9, 0.8], [False, True])
    assert measure_selective(test, None, 0.1, np.arange(2), 0.95).selection is None
    found = measure_selective(test, test, 0.1, np.arange(2), 0.95)
    assert found.chosen_on == 2 and found.selection is None


def test_a_test_without_an_answer_has_no_share_of_wrong_ones() -> None:
    found = measure_selective(predictions([0.6], [True]), predictions([0.9], [True]), 0.1, np.arange(1), 0.95)
    assert found.selection is not None and found.selection.wrong is None and found.selection.coverage.value == 0
