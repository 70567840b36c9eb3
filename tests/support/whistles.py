"""A trigger that is easy to tell: a whistle."""

import torch
from listening_models import RATE
from torch import Tensor


def whistle(seed: int) -> Tensor:
    """A rising tone of half a second, in a little noise, float32 [T]."""
    generator = torch.Generator().manual_seed(seed)
    time = torch.arange(RATE // 2) / RATE
    pitch = 600 + 100 * torch.rand(1, generator=generator)
    tone = 0.3 * torch.sin(2 * torch.pi * (pitch + 1200 * time) * time)
    return tone + 0.01 * torch.randn(len(time), generator=generator)
