"""Pretraining the embedded backbone on the source task."""

import copy
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thaw.backbones.devices import faster_on_cpu
from thaw.backbones.thaw_small import FEATURE_DIM, build_small_resnet
from thaw.finetuning.schedule import cosine_factor, update_average
from thaw.foundation.parallel.progress import Progress, untold
from thaw.kinds.images.scratch import DistortedImages, normalise
from thaw.pretraining.source_task import Batch, SourceTask, draw_batch, draw_classes
from thaw.pretraining.strokes import Characters
from thaw.strategies.baselines.from_scratch import predict_logits

MEAN, STD = 0.27, 0.33
"""Mean and standard deviation of the source task's pixels on the scale [0, 1], for the preprocessing of the backbone."""


@dataclass(frozen=True)
class PretrainSettings:
    """The settings of the training. held_out: number of fresh instances that measure the result. cosine_scale: the classifier's logits are cosines times
    this."""

    steps: int = 3000
    batch_size: int = 256
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    label_smoothing: float = 0.1
    warmup: float = 0.05
    ema_decay: float = 0.995
    cosine_scale: float = 24.0
    held_out: int = 4096
    seed: int = 0


class CosineClassifier(nn.Module):
    """A classifier whose logits are the cosines between a feature and each class's direction, times `scale`: float [N, D] to float32 [N, C].

    It draws the features of a class to one direction; a head that learns from few labels then does better than after a linear layer.
    Source: Chen et al., "A Closer Look at Few-shot Classification", ICLR 2019, section 3.2 (Baseline++).
    """

    def __init__(self, features: int, classes: int, scale: float) -> None:
        super().__init__()
        # The directions begin short, so that a step of the optimiser turns them far; their length has no effect on the logits.
        self.directions = nn.Parameter(0.05 * torch.randn(classes, features))
        self.scale = scale

    def forward(self, features: Tensor) -> Tensor:
        """See the class."""
        return self.scale * F.linear(F.normalize(features.float(), dim=1), F.normalize(self.directions, dim=1))


@dataclass(frozen=True)
class Pretrained:
    """The averaged model, its accuracy on fresh instances of the source task, and pairs of a step and its smoothed loss."""

    model: nn.Module
    accuracy: float
    losses: tuple[tuple[int, float], ...]


def pretrain(task: SourceTask, settings: PretrainSettings, progress: Progress = untold) -> Pretrained:
    """Train `thaw_small` to tell the task's characters apart, with new instances in every step.

    The training uses a cosine classifier, AdamW, a warm-up and half a cosine, label smoothing, an exponential moving average of the weights, and bfloat16
    where the processor multiplies it faster. The returned model has a linear classifier of zeros, because the source task's classes are of no use later.
    """
    classes = draw_classes(task)
    generator = torch.Generator().manual_seed(settings.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        model = build_small_resnet(num_classes=1).train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        model.fc = CosineClassifier(FEATURE_DIM, task.classes, settings.cosine_scale)
    average = copy.deepcopy(model).eval()
    optimiser = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    losses: list[tuple[int, float]] = []
    smoothed = float("nan")
    for step in range(settings.steps):
        for group in optimiser.param_groups:
            group["lr"] = settings.learning_rate * cosine_factor(step, settings.steps, settings.warmup)
        loss = _step(model, optimiser, draw_batch(task, classes, settings.batch_size, generator), settings)
        update_average(average, model, decay=min(settings.ema_decay, (1 + step) / (10 + step)))
        smoothed = loss if step == 0 else 0.98 * smoothed + 0.02 * loss
        if (step + 1) % max(settings.steps // 50, 1) == 0:
            losses.append((step + 1, round(smoothed, 4)))
        progress(step + 1, settings.steps)
    accuracy = _accuracy(average, task, classes, settings)
    average.fc = nn.utils.skip_init(nn.Linear, FEATURE_DIM, 10)
    nn.init.zeros_(average.fc.weight)
    nn.init.zeros_(average.fc.bias)
    return Pretrained(average, accuracy, tuple(losses))


def _step(model: nn.Module, optimiser: torch.optim.Optimizer, batch: Batch, settings: PretrainSettings) -> float:
    with faster_on_cpu():
        logits = model(_normalised(batch.images))
        loss = F.cross_entropy(logits, batch.targets, label_smoothing=settings.label_smoothing)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return float(loss.detach())


def _normalised(images: Tensor) -> Tensor:
    return normalise(images.float() / 255, [MEAN] * 3, [STD] * 3)


def _accuracy(model: nn.Module, task: SourceTask, classes: Characters, settings: PretrainSettings) -> float:
    held_out = draw_batch(task, classes, settings.held_out, torch.Generator().manual_seed(settings.seed + 1))
    logits = predict_logits(model, held_out.images, DistortedImages([MEAN] * 3, [STD] * 3))
    return float((logits.argmax(1) == held_out.targets).float().mean())
