"""Targets made of handwritten digits, some like the backbone's source task and some unlike it.

The embedded backbone learnt to tell invented characters apart however they are drawn and wherever they lie. So its last layer knows which digit a picture
shows, and whether it is mirrored; how bright the ink is and where the digit lies it has thrown away, while earlier layers still see both.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import Tensor

SIDE = 32
BRIGHTNESS = (1.0, 0.9, 0.8, 0.7)
SHIFTS = ((-1, -1), (-1, 1), (1, -1), (1, 1))
"""Pixels of `SIDE`, down and right."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """pixels: uint8 [N, 3, SIDE, SIDE], as the embedded backbone takes them; targets: int64 [N], indices in `class_names`."""

    pixels: Tensor
    targets: Tensor
    class_names: tuple[str, ...]

    def rows(self, rows: Tensor) -> "Pictures":
        """Some of them, int64 [M]."""
        return Pictures(self.pixels[rows], self.targets[rows], self.class_names)


def draw_pictures(target: str, seed: int) -> Pictures:
    """All 1,797 digits, each in a class of the target; where the class is not the digit, the seed deals it. KeyError: there is no such target."""
    return TARGETS[target](torch.Generator().manual_seed(seed))


@cache
def _digits() -> tuple[Tensor, Tensor]:
    """Ink float32 [N, SIDE, SIDE] from 0 to 1, and which digit it is."""
    held = load_digits()
    small = torch.tensor(held.images, dtype=torch.float32)[:, None] / 16
    large = F.interpolate(small, size=SIDE, mode="bilinear", align_corners=False)
    return large[:, 0], torch.tensor(held.target)


def _digit(generator: torch.Generator) -> Pictures:
    ink, digits = _digits()
    return _pictures(ink, digits, [str(number) for number in range(10)])


def _mirrored(generator: torch.Generator) -> Pictures:
    dealt = _dealt(2, generator)
    ink = _digits()[0]
    return _pictures(torch.where((dealt == 1)[:, None, None], ink.flip(2), ink), dealt, ["as written", "mirrored"])


def _brightness(generator: torch.Generator) -> Pictures:
    dealt = _dealt(len(BRIGHTNESS), generator)
    factor = torch.tensor(BRIGHTNESS)[dealt]
    return _pictures(_digits()[0] * factor[:, None, None], dealt, [str(one) for one in BRIGHTNESS])


def _position(generator: torch.Generator) -> Pictures:
    dealt = _dealt(len(SHIFTS), generator)
    pairs = zip(_digits()[0], dealt.tolist(), strict=True)
    moved = torch.stack([torch.roll(ink, SHIFTS[number], (0, 1)) for ink, number in pairs])
    return _pictures(moved, dealt, [f"{down:+} {right:+}" for down, right in SHIFTS])


def _dealt(classes: int, generator: torch.Generator) -> Tensor:
    return torch.randint(classes, (len(_digits()[1]),), generator=generator)


def _pictures(ink: Tensor, targets: Tensor, names: list[str]) -> Pictures:
    pixels = (255 * ink).round().to(torch.uint8)
    return Pictures(pixels[:, None].expand(-1, 3, -1, -1).contiguous(), targets, tuple(names))


TARGETS: Mapping[str, Callable[[torch.Generator], Pictures]] = {
    "digit": _digit,
    "mirrored": _mirrored,
    "brightness": _brightness,
    "position": _position,
}
"""The first two are like the source task, the others unlike it."""
