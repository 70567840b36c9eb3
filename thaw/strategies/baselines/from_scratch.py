"""The training of a network from random weights on a few labelled examples, as a baseline for transfer."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from thaw.backbones.devices import faster_on_cpu
from thaw.finetuning.schedule import cosine_factor, update_average
from thaw.kinds.batches import Batch, rows_at_once, split, taken
from thaw.kinds.kind import Scratch


@dataclass(frozen=True)
class ScratchSettings:
    """The settings of a training from scratch.

    They were chosen on the digits' train pool, without the 50 labelled digits (see `benchmarks/transfer_gain.py`).
    """

    steps: int = 160
    batch_size: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    label_smoothing: float = 0.1
    warmup: float = 0.1
    """Share of the steps over which the learning rate rises."""
    ema_decay: float = 0.97


Loss = Callable[[Tensor, Tensor, float], Tensor]
"""The mean loss of logits, float32 [N, C], on targets, with a label smoothing."""


def train_scratch(
    batch: Batch,
    targets: Tensor,
    *,
    loss: Loss,
    build: Callable[[int], nn.Module],
    num_classes: int,
    scratch: Scratch,
    seed: int,
    settings: ScratchSettings | None = None,
) -> nn.Module:
    """Train `build(num_classes)` end to end, and return its averaged weights in evaluation mode.

    batch: N prepared examples. targets: int64 [N] or bool [N, C]. scratch: the variation and normalisation of examples. The recipe is random variation,
    AdamW, a cosine schedule with warm-up, label smoothing, an exponential moving average of the weights, and bfloat16 where the processor multiplies it
    faster. The caller's random state does not change.
    """
    settings = settings or ScratchSettings()
    generator = torch.Generator().manual_seed(seed)
    model = _seeded(build, num_classes, seed).train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average: nn.Module = copy.deepcopy(model).eval()
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    begun = scratch.begin(batch)
    rows = _balanced_rows(len(targets), settings, generator)
    for step in range(settings.steps):
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * cosine_factor(step, settings.steps, settings.warmup)
        seen = scratch.changed(taken(begun, rows[step]), generator)
        with faster_on_cpu():
            logits = model(seen)
            cost = loss(logits, targets[rows[step]], settings.label_smoothing)
        optimizer.zero_grad()
        cost.backward()
        optimizer.step()
        update_average(average, model, decay=min(settings.ema_decay, (1 + step) / (10 + step)))
    return average


def predict_logits(model: nn.Module, batch: Batch, scratch: Scratch, *, batch_size: int = 256) -> Tensor:
    """The model's outputs for N prepared examples: float32 [N, num_classes], in float32 arithmetic."""
    model.eval()
    with torch.inference_mode():
        parts = [
            model(scratch.plain(scratch.begin(part))) for part in split(batch, min(batch_size, rows_at_once(batch)))
        ]
    return torch.cat(parts)


def _seeded(build: Callable[[int], nn.Module], num_classes: int, seed: int) -> nn.Module:
    """`build(num_classes)` with initial weights that depend on `seed` alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build(num_classes)


def _balanced_rows(count: int, settings: ScratchSettings, generator: torch.Generator) -> Tensor:
    """The examples of each step, int64 [steps, batch_size]; no example repeats before every example has occurred."""
    needed = settings.steps * settings.batch_size
    passes = [torch.randperm(count, generator=generator) for _ in range(-(-needed // count))]
    return torch.cat(passes)[:needed].view(settings.steps, settings.batch_size)
