"""The source task of the embedded backbone: to tell hundreds of invented characters apart, with any number of instances.

The characters share strokes, pens and the sampling down to 8 x 8 with handwritten digits, but none of their classes: characters that look like a printed
digit are left out.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from thaw.pretraining.digit_likeness import digit_likeness
from thaw.pretraining.rendering import Hand, enlarge, write
from thaw.pretraining.strokes import Characters, draw_characters

_SURPLUS = 2
"""The number of characters that are drawn in a round, as a multiple of the task's classes."""


@dataclass(frozen=True)
class SourceTask:
    """`classes` characters, drawn from `seed`; characters whose likeness to a printed digit (a correlation) exceeds `digit_likeness` are left out.

    image_size: the side of the enlarged images in pixels, equal to that of the preprocessing.
    """

    classes: int = 1000
    seed: int = 1
    digit_likeness: float = 0.65
    image_size: int = 32
    hand: Hand = field(default_factory=Hand)


@dataclass(frozen=True)
class Batch:
    """Instances. images: uint8 [N, 3, H, W], ink bright, with three equal channels. targets: int64 [N]."""

    images: Tensor
    targets: Tensor


def draw_classes(task: SourceTask) -> Characters:
    """The task's characters; the same for the same settings."""
    generator = torch.Generator().manual_seed(task.seed)
    kept: list[Characters] = []
    while sum(len(characters) for characters in kept) < task.classes:
        drawn = draw_characters(_SURPLUS * task.classes, generator)
        kept.append(drawn[digit_likeness(drawn) <= task.digit_likeness])
    points, strokes = (torch.cat([getattr(some, name) for some in kept]) for name in ("points", "drawn"))
    return Characters(points[: task.classes], strokes[: task.classes])


def draw_batch(task: SourceTask, classes: Characters, size: int, generator: torch.Generator) -> Batch:
    """`size` new instances of random classes; the same generator state gives the same batch, bit for bit."""
    targets = torch.randint(0, len(classes), (size,), generator=generator)
    images = enlarge(write(classes[targets], task.hand, generator), task.image_size)
    return Batch(images[:, None].expand(-1, 3, -1, -1), targets)
