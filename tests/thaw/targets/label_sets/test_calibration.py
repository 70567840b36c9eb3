"""Calibration of independent classes: what was distorted is found again."""

import pytest
import torch

from thaw.targets.label_sets.calibration import fit_calibration
from thaw.targets.one_label.temperature import COLDEST


def test_a_known_distortion_is_undone() -> None:
    generator = torch.Generator().manual_seed(0)
    honest = torch.randn(20_000, 3, generator=generator) * 2 + torch.tensor([0.0, -2.0, 1.0])
    targets = torch.rand(honest.shape, generator=generator) < honest.sigmoid()
    distorted = (honest + torch.tensor([1.0, -1.0, 2.0])) * 3
    found = fit_calibration(distorted, targets)
    assert found.temperature == pytest.approx(3, rel=0.05)
    assert found.shifts.tolist() == pytest.approx([-1.0, 1.0, -2.0], abs=0.1)


def test_separable_rows_stay_short_of_certainty() -> None:
    logits = torch.tensor([[5.0], [6.0], [-5.0], [-6.0]])
    found = fit_calibration(logits, logits > 0)
    assert found.temperature > COLDEST
    probabilities = (logits / found.temperature + found.shifts).sigmoid()
    assert probabilities.max() < 0.95
    assert probabilities.min() > 0.05


def test_logits_that_say_nothing_become_shares() -> None:
    targets = torch.arange(100)[:, None] < torch.tensor([20, 70])
    found = fit_calibration(torch.zeros(100, 2), targets)
    assert found.shifts.sigmoid().tolist() == pytest.approx([0.2, 0.7], abs=0.02)
