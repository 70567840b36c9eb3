"""Invented characters: each class is a random program of strokes, so their number has no end and none is a known symbol.

Source: the idea of characters as programs of strokes is Lake et al., "Human-level concept learning through probabilistic program
induction", Science 350, 2015; that of classes from a formula instead of photographs is Kataoka et al., "Pre-training without
Natural Images", ACCV 2020. The distributions below are our own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

CONTROL_POINTS = 8
"""The number of control points of a stroke."""
MAX_STROKES = 4
STROKE_COUNTS = (0.12, 0.38, 0.35, 0.15)
"""Probabilities of one to `MAX_STROKES` strokes."""
KINDS = (0.35, 0.40, 0.15, 0.10)
"""Probabilities of a straight line, an arc of an ellipse, a Bezier curve, a wavering line through four points."""
CLOSED = 0.25
"""Probability that an arc is the whole ellipse."""
JOINED = 0.65
"""Probability that a stroke starts on the stroke before it."""


@dataclass(frozen=True)
class Characters:
    """Stroke programs, one a class.

    points: float32 [C, MAX_STROKES, CONTROL_POINTS, 2], x to the right and y downwards, about [-1, 1].
    drawn: bool [C, MAX_STROKES], false where a character has fewer strokes.
    """

    points: Tensor
    drawn: Tensor

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, rows: Tensor) -> Characters:
        """The characters at `rows`: int64 positions (with repeats) or a bool mask."""
        return Characters(self.points[rows], self.drawn[rows])


def draw_characters(count: int, generator: torch.Generator) -> Characters:
    """`count` random characters, each scaled to a box of height 2 about the origin."""
    drawn_strokes = torch.multinomial(torch.tensor(STROKE_COUNTS), count, replacement=True, generator=generator) + 1
    drawn = torch.arange(MAX_STROKES) < drawn_strokes[:, None]
    points = _join(_draw_strokes(count * MAX_STROKES, generator).unflatten(0, (count, MAX_STROKES)), generator)
    return Characters(_fit_box(points, drawn, generator), drawn)


def bounds(points: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
    """The smallest and largest x and y of each character's drawn strokes: two of float32 [N, 2].

    points: float32 [N, MAX_STROKES, K, 2]; drawn: bool [N, MAX_STROKES].
    """
    inside = drawn[:, :, None, None]
    low = torch.where(inside, points, torch.inf).flatten(1, 2).amin(1)
    high = torch.where(inside, points, -torch.inf).flatten(1, 2).amax(1)
    return low, high


def _draw_strokes(count: int, generator: torch.Generator) -> Tensor:
    """Strokes of random kinds, float32 [count, CONTROL_POINTS, 2]."""
    kind = torch.multinomial(torch.tensor(KINDS), count, replacement=True, generator=generator)
    corners = torch.rand(count, 4, 2, generator=generator) * 2 - 1
    kinds = torch.stack([_lines(corners), _arcs(count, generator), _beziers(corners), _wavering(corners)])
    return kinds[kind, torch.arange(count)]


def _lines(corners: Tensor) -> Tensor:
    along = torch.linspace(0, 1, CONTROL_POINTS)[:, None]
    return corners[:, :1] + (corners[:, 1:2] - corners[:, :1]) * along


def _arcs(count: int, generator: torch.Generator) -> Tensor:
    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator)

    centre, radii = uniform(count, 1, 2) * 1.2 - 0.6, 0.25 + 0.6 * uniform(count, 1, 2)
    start, sweep = 2 * math.pi * uniform(count, 1), math.pi * (0.5 + 1.3 * uniform(count, 1))
    sweep = torch.where(uniform(count, 1) < CLOSED, 2 * math.pi, sweep)
    angle = start + sweep * torch.linspace(0, 1, CONTROL_POINTS)
    return centre + radii * torch.stack([angle.cos(), angle.sin()], dim=-1)


def _beziers(corners: Tensor) -> Tensor:
    t = torch.linspace(0, 1, CONTROL_POINTS)
    basis = torch.stack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3], dim=-1)
    return basis @ (corners * 1.3)


def _wavering(corners: Tensor) -> Tensor:
    along = torch.linspace(0, 3, CONTROL_POINTS)
    left = along.floor().clamp(max=2).long()
    part = (along - left)[:, None]
    return corners[:, left] + (corners[:, left + 1] - corners[:, left]) * part**2 * (3 - 2 * part)


def _join(points: Tensor, generator: torch.Generator) -> Tensor:
    """Move strokes so that most start at the end of the stroke before, or at some other point of it."""
    count = len(points)
    joined = torch.rand(count, MAX_STROKES, generator=generator) < JOINED
    anywhere = torch.randint(0, CONTROL_POINTS, (count, MAX_STROKES), generator=generator)
    at_end = torch.rand(count, MAX_STROKES, generator=generator) < 0.5
    anchor = torch.where(at_end, CONTROL_POINTS - 1, anywhere)
    placed = [points[:, 0]]
    for stroke in range(1, MAX_STROKES):
        shift = placed[-1][torch.arange(count), anchor[:, stroke]] - points[:, stroke, 0]
        placed.append(points[:, stroke] + (joined[:, stroke, None] * shift)[:, None])
    return torch.stack(placed, dim=1)


def _fit_box(points: Tensor, drawn: Tensor, generator: torch.Generator) -> Tensor:
    """Scale to height 2, and to a random width between 1.1 and 2; a narrow upright character stays narrow."""
    low, high = bounds(points, drawn)
    extent = (high - low).clamp(min=0.2)
    width = torch.where(
        extent[:, 0] < 0.4 * extent[:, 1], 0.3, 0.55 + 0.45 * torch.rand(len(points), generator=generator)
    )
    size = torch.stack([2 * width, torch.full_like(width, 2.0)], dim=-1)
    return (points - ((low + high) / 2)[:, None, None]) / extent[:, None, None] * size[:, None, None]
