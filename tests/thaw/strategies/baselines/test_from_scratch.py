"""The baseline from scratch: learns real handwriting from few labels, and repeats itself."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

from thaw.backbones import devices
from thaw.backbones.thaw_small import build_small_resnet
from thaw.kinds.images.scratch import DistortedImages
from thaw.strategies.baselines.from_scratch import ScratchSettings, predict_logits, train_scratch

SCRATCH = DistortedImages([0.3] * 3, [0.3] * 3)


def digits(rows: slice) -> tuple[torch.Tensor, torch.Tensor]:
    """Zeros and ones: uint8 [N, 3, 32, 32] and int64 [N]."""
    held = load_digits(n_class=2)
    images = torch.tensor(held.images[rows] * 255 / 16).round().to(torch.uint8)
    large = images.repeat_interleave(4, 1).repeat_interleave(4, 2)
    return large[:, None].expand(-1, 3, -1, -1), torch.tensor(held.target[rows])


def train(seed: int, steps: int = 20, build: Callable[[int], nn.Module] = build_small_resnet) -> nn.Module:
    images, targets = digits(slice(20))
    settings = ScratchSettings(steps=steps, batch_size=16, ema_decay=0.7)
    return train_scratch(
        images,
        targets,
        loss=lambda logits, wanted, smoothing: F.cross_entropy(logits, wanted, label_smoothing=smoothing),
        build=build,
        num_classes=2,
        scratch=SCRATCH,
        seed=seed,
        settings=settings,
    )


def test_twenty_images_tell_zeros_from_ones() -> None:
    images, targets = digits(slice(100, 300))
    logits = predict_logits(train(0), images, SCRATCH)
    assert logits.shape == (200, 2) and logits.dtype == torch.float32
    assert (logits.argmax(1) == targets).float().mean() > 0.9


def test_the_seed_decides_and_the_callers_random_state_is_left_alone() -> None:
    torch.manual_seed(9)
    before = torch.random.get_rng_state()
    first, again, other = (train(seed, steps=2).state_dict()["fc.weight"] for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize(("fast", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_it_computes_in_bfloat16_where_the_processor_multiplies_it_faster(
    monkeypatch: pytest.MonkeyPatch, fast: bool, dtype: torch.dtype
) -> None:
    monkeypatch.setattr(devices, "has_bfloat16", lambda _: fast)
    made = list[torch.dtype]()

    def linear(classes: int) -> nn.Module:
        network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, classes))
        network.register_forward_hook(lambda _module, _given, logits: made.append(logits.dtype))
        return network

    train(0, steps=2, build=linear)
    assert made == [dtype, dtype]
