"""The learning rate over the steps of a training, and the moving average of its weights."""

import math

import torch
from torch import nn


def cosine_factor(step: int, steps: int, warmup: float) -> float:
    """The learning rate at `step` as a share of its peak: a linear rise over `warmup * steps`, then half a cosine down to zero."""
    done = (step + 1) / steps
    if done < warmup:
        return done / warmup
    return 0.5 + 0.5 * math.cos(math.pi * (done - warmup) / max(1 - warmup, 1e-9))


def update_average(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move `average` towards `model`, parameters and batch statistics alike; counters are copied."""
    with torch.no_grad():
        for kept, new in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
            if kept.is_floating_point():
                kept.lerp_(new, 1 - decay)
            else:
                kept.copy_(new)
