"""Temperature scaling."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from thaw.targets.one_label.temperature import COLDEST, HOTTEST, fit_temperature


def drawn(rows: int, classes: int = 4, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits, and targets drawn from their own softmax: perfectly calibrated."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows, classes, generator=generator) * 2
    return logits, torch.multinomial(logits.softmax(1), 1, generator=generator).squeeze(1)


@pytest.mark.parametrize("factor", [0.2, 1.0, 7.0])
def test_the_factor_of_scaled_logits_is_found(factor: float) -> None:
    logits, targets = drawn(20_000)
    assert fit_temperature(logits * factor, targets) == pytest.approx(factor, rel=0.05)


@given(seed=st.integers(0, 50), rows=st.integers(2, 60), scale=st.floats(0.1, 20))
def test_no_other_temperature_is_better(seed: int, rows: int, scale: float) -> None:
    logits, targets = drawn(rows, seed=seed)
    logits = logits * scale
    unknown = 1 / (rows + 1)

    def loss(temperature: float) -> float:
        return float(F.cross_entropy(logits.double() / temperature, targets, label_smoothing=unknown))

    found = fit_temperature(logits, targets)
    assert all(
        loss(found) <= loss(min(max(found * factor, COLDEST), HOTTEST)) + 1e-9 for factor in (0.5, 0.98, 1.02, 2)
    )


def test_rows_without_an_error_give_a_finite_confidence() -> None:
    targets = torch.arange(40) % 2
    logits = F.one_hot(targets, 2).float()
    probabilities = (logits / fit_temperature(logits, targets)).softmax(1)
    # The rows and one of unknown class: 40.5 of 41 are right.
    assert probabilities.max(1).values == pytest.approx([40.5 / 41] * 40, abs=1e-3)


def test_more_rows_without_an_error_give_more_confidence() -> None:
    few, many = (F.one_hot(torch.arange(rows) % 2, 2).float() for rows in (10, 1000))
    assert fit_temperature(many, many.argmax(1)) < fit_temperature(few, few.argmax(1))


def test_logits_that_are_all_wrong_are_clamped() -> None:
    targets = torch.arange(40) % 2
    assert fit_temperature(F.one_hot(1 - targets, 2).float(), targets) == HOTTEST


def test_tiny_logits_are_clamped() -> None:
    targets = torch.arange(40) % 2
    assert fit_temperature(F.one_hot(targets, 2).float() * 1e-4, targets) == COLDEST


def test_logits_that_say_nothing_change_nothing() -> None:
    assert fit_temperature(torch.full((10, 3), 5.0), torch.zeros(10, dtype=torch.int64)) == 1.0


def test_no_rows_change_nothing() -> None:
    assert fit_temperature(torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64)) == 1.0


def test_huge_logits_stay_finite() -> None:
    logits, targets = drawn(200)
    assert math.isfinite(fit_temperature(logits * 1e6, targets))


def test_a_shift_of_a_row_changes_nothing() -> None:
    logits, targets = drawn(200)
    shifted = logits + torch.arange(200.0)[:, None]
    assert fit_temperature(shifted, targets) == pytest.approx(fit_temperature(logits, targets), rel=1e-4)
