"""The source task of the embedded backbone: tell apart hundreds of invented characters, as many instances as one likes.

It shares strokes, pens and the sampling down to 8 x 8 with handwritten digits, and none of their classes: characters that look like a printed
digit are left out.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from thaw.pretraining.digit_likeness import digit_likeness
from thaw.pretraining.rendering import Hand, enlarge, write
from thaw.pretraining.strokes import Characters, draw_characters

_SURPLUS = 2
"""Characters drawn for each one kept, at first."""


@dataclass(frozen=True)
class SourceTask:
    """`classes` characters, drawn from `seed`; one whose likeness to a printed digit (a correlation) exceeds `digit_likeness` is left out.

    Images are enlarged to `image_size` pixels a side, as the preprocessing enlarges the target's.
    """

    classes: int = 1000
    seed: int = 1
    digit_likeness: float = 0.65
    image_size: int = 32
    hand: Hand = field(default_factory=Hand)


@dataclass(frozen=True)
class Batch:
    """images: uint8 [N, 3, H, W], ink bright, three equal channels; targets: int64 [N]."""

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
