"""The learning rate and the moving average."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from thaw.finetuning.schedule import cosine_factor, update_average


@given(steps=st.integers(1, 200), warmup=st.floats(0, 1))
def test_the_learning_rate_rises_then_falls_within_its_bounds(steps: int, warmup: float) -> None:
    factors = [cosine_factor(step, steps, warmup) for step in range(steps)]
    assert all(-1e-9 <= factor <= 1 + 1e-9 for factor in factors)
    top = factors.index(max(factors))
    assert factors[: top + 1] == sorted(factors[: top + 1])
    assert factors[top:] == sorted(factors[top:], reverse=True)
    assert warmup > 0.99 or math.isclose(factors[-1], 0, abs_tol=1e-9)


def test_the_average_follows_the_weights_and_copies_counters() -> None:
    average, model = nn.BatchNorm2d(2), nn.BatchNorm2d(2)
    with torch.no_grad():
        model.weight.fill_(3.0)
    model.num_batches_tracked.fill_(7)
    update_average(average, model, decay=0.75)
    assert average.weight.tolist() == pytest.approx([1.5, 1.5])
    assert int(average.num_batches_tracked) == 7
