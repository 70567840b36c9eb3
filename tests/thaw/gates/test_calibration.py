"""The gate `calibration`."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from registration import predictions

from thaw.foundation.statistics.bootstrap import Resampling
from thaw.gates.calibration import BINS, calibration, calibration_loss
from thaw.gates.outcome import Outcome, Verdict
from thaw.gates.pairing import pair
from thaw.params.sections import PromotionParams
from thaw.targets.one_label.metrics import measure
from thaw.targets.predictions import Predictions

PARAMS = PromotionParams()


def sure(confidence: float, rows: int = 400, right: float = 0.8) -> Predictions:
    """Two classes; the same share of rows is right, and every row is as sure as that."""
    labels = ["ant", "bee"] * (rows // 2)
    found = predictions(labels, labels)
    wrong = np.arange(rows) >= right * rows
    named = np.where(wrong, 1 - found.targets, found.targets)
    probabilities = np.full((rows, 2), 1 - confidence, np.float32)
    probabilities[np.arange(rows), named] = confidence
    return replace(found, probabilities=probabilities)


def found(before: Predictions, after: Predictions) -> Outcome:
    paired = pair(before, after)
    assert paired is not None
    return calibration(paired, PARAMS, Resampling(300))


def test_probabilities_that_say_too_much_are_refused_and_honest_ones_pass() -> None:
    honest, bragging = sure(0.8), sure(0.99)
    assert found(honest, bragging).verdict is Verdict.FAIL
    assert found(bragging, honest).verdict is Verdict.PASS
    assert found(honest, honest).verdict is Verdict.PASS


def test_few_rows_cannot_tell_and_refuse_nothing() -> None:
    outcome = found(sure(0.8, 30), sure(0.88, 30))
    assert (outcome.verdict, outcome.refuses) == (Verdict.CANNOT_TELL, False)


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_the_value_is_the_difference_of_the_calibration_errors_as_the_report_has_them(seed: int) -> None:
    random = np.random.default_rng(seed)
    drawn = [random.dirichlet([1, 1], 60).astype(np.float32) for _ in range(2)]
    first, second = (replace(sure(0.8, 60), probabilities=one) for one in drawn)
    paired = pair(first, second)
    assert paired is not None
    errors = [
        measure(one.probabilities, one.targets, bins=BINS, resampling=Resampling(2)).ece.value
        for one in (first, second)
    ]
    loss = calibration_loss(paired, Resampling(100))
    assert loss.value == pytest.approx(errors[1] - errors[0], abs=1e-6)
    assert loss.low <= loss.high
