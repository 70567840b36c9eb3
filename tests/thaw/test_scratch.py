"""The baseline from scratch: learns real handwriting from few labels, and repeats itself."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from torch import nn

from thaw.scratch import ScratchSettings, cosine_factor, normalise, predict_logits, train_scratch, update_average
from thaw.small import build_small_resnet


def digits(rows: slice) -> tuple[torch.Tensor, torch.Tensor]:
    """Zeros and ones: uint8 [N, 3, 32, 32] and int64 [N]."""
    held = load_digits(n_class=2)
    images = torch.tensor(held.images[rows] * 255 / 16).round().to(torch.uint8)
    large = images.repeat_interleave(4, 1).repeat_interleave(4, 2)
    return large[:, None].expand(-1, 3, -1, -1), torch.tensor(held.target[rows])


def train(seed: int, steps: int = 20) -> nn.Module:
    images, targets = digits(slice(20))
    settings = ScratchSettings(steps=steps, batch_size=16, ema_decay=0.7)
    return train_scratch(
        images,
        targets,
        build=build_small_resnet,
        num_classes=2,
        mean=[0.3] * 3,
        std=[0.3] * 3,
        seed=seed,
        settings=settings,
    )


def test_twenty_images_tell_zeros_from_ones() -> None:
    images, targets = digits(slice(100, 300))
    logits = predict_logits(train(0), images, mean=[0.3] * 3, std=[0.3] * 3)
    assert logits.shape == (200, 2) and logits.dtype == torch.float32
    assert (logits.argmax(1) == targets).float().mean() > 0.9


def test_the_seed_decides_and_the_callers_random_state_is_left_alone() -> None:
    torch.manual_seed(9)
    before = torch.random.get_rng_state()
    first, again, other = (train(seed, steps=2).state_dict()["fc.weight"] for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(before, torch.random.get_rng_state())


@given(steps=st.integers(1, 200), warmup=st.floats(0, 1))
def test_the_learning_rate_rises_then_falls_within_its_bounds(steps: int, warmup: float) -> None:
    factors = [cosine_factor(step, steps, warmup) for step in range(steps)]
    assert all(-1e-9 <= factor <= 1 + 1e-9 for factor in factors)
    top = factors.index(max(factors))
    assert factors[: top + 1] == sorted(factors[: top + 1])
    assert factors[top:] == sorted(factors[top:], reverse=True)
    assert warmup > 0.99 or math.isclose(factors[-1], 0, abs_tol=1e-9)


def test_pixels_are_normalised_by_channel() -> None:
    found = normalise(torch.ones(2, 3, 4, 4), [0.5, 0.0, 1.0], [0.5, 2.0, 1.0])
    assert found[0, :, 0, 0].tolist() == [1.0, 0.5, 0.0]
    assert found.is_contiguous(memory_format=torch.channels_last)


def test_the_average_follows_the_weights_and_copies_counters() -> None:
    average, model = nn.BatchNorm2d(2), nn.BatchNorm2d(2)
    with torch.no_grad():
        model.weight.fill_(3.0)
    model.num_batches_tracked.fill_(7)
    update_average(average, model, decay=0.75)
    assert average.weight.tolist() == pytest.approx([1.5, 1.5])
    assert int(average.num_batches_tracked) == 7
