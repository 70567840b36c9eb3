"""Instances of stroke characters: they are jittered, warped, drawn with a pen, and sampled down to 8x8 like the target's images."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from thaw.pretraining.strokes import CONTROL_POINTS, Characters, bounds

SHEET = 32
"""The side of the bitmap on which a character is drawn, in pixels."""
SMALL = 8
"""The side of the resulting image; each of its pixels is the share of ink in a block of 4x4."""
LEVELS = 16
"""The number of grey levels above white, which is the number of pixels in a block of 4x4."""
CURVE_POINTS = 16
"""The number of points at which a stroke is sampled."""


@dataclass(frozen=True)
class Hand:
    """The differences between instances of a character, as standard deviations; the unit is half the height of a character, if no other is named."""

    stroke_shape: float = 0.12
    """Each entry of a linear map about a stroke's centre."""
    stroke_shift: float = 0.06
    point_shift: float = 0.03
    warp_slow: float = 0.15
    """The amplitude of a smooth warp of the whole character, about a quarter wave across it."""
    warp_fast: float = 0.05
    """The amplitude of a smooth warp of twice that frequency."""
    rotation: float = 0.12
    """In radians."""
    slant: float = 0.2
    log_aspect: float = 0.15
    pen_radius: float = 2.2
    """The mean radius of the pen, in pixels of the sheet."""
    pen_radius_spread: float = 0.5
    shrink: float = 0.1
    """The largest reduction of a character that fills the sheet: the logarithm of its scale is uniform between minus this and 0."""
    shift: float = 0.5
    """The position on the sheet, in pixels of the sheet."""


def write(characters: Characters, hand: Hand, generator: torch.Generator) -> Tensor:
    """An instance of each character: uint8 [N, 8, 8], ink bright, with the levels round(k * 255 / 16) for k from 0 to 16."""
    curves = _curve_basis() @ _vary_strokes(characters, hand, generator)
    curves = _slant(_warp(curves, hand, generator), hand, generator)
    spread = torch.randn(len(characters), generator=generator) * hand.pen_radius_spread
    radius = (hand.pen_radius + spread).clamp(1.0, 4.0)
    placed = _place(curves, characters.drawn, radius, hand, generator)
    return _sample_down(_ink(placed, characters.drawn, radius))


def enlarge(images: Tensor, size: int) -> Tensor:
    """Bilinear enlargement with rounding, equal to Pillow's to within one level: uint8 [N, h, w] to uint8 [N, size, size]."""
    larger = F.interpolate(images[:, None].float(), size=(size, size), mode="bilinear", align_corners=False)
    return larger[:, 0].round().to(torch.uint8)


def _vary_strokes(characters: Characters, hand: Hand, generator: torch.Generator) -> Tensor:
    """The control points after a linear map and a shift of each stroke, and a shift of each point; in the characters' shape."""
    points = characters.points
    count, strokes = points.shape[:2]
    centre = points.mean(dim=2, keepdim=True)
    shape = torch.eye(2) + hand.stroke_shape * torch.randn(count, strokes, 2, 2, generator=generator)
    moved = (
        (points - centre) @ shape + centre + hand.stroke_shift * torch.randn(count, strokes, 1, 2, generator=generator)
    )
    return moved + hand.point_shift * torch.randn(points.shape, generator=generator)


def _curve_basis() -> Tensor:
    """Catmull-Rom weights that take control points to points of the curve: float32 [CURVE_POINTS, CONTROL_POINTS]."""
    position = torch.linspace(0, CONTROL_POINTS - 1, CURVE_POINTS)
    left = position.floor().clamp(max=CONTROL_POINTS - 2).long()
    u = position - left
    weights = (
        torch.stack([-(u**3) + 2 * u**2 - u, 3 * u**3 - 5 * u**2 + 2, -3 * u**3 + 4 * u**2 + u, u**3 - u**2], dim=-1)
        / 2
    )
    # One point beyond each end, by point reflection: p[-1] = 2 p[0] - p[1].
    padded = torch.zeros(CONTROL_POINTS + 2, CONTROL_POINTS)
    padded[1:-1] = torch.eye(CONTROL_POINTS)
    padded[0, :2] = torch.tensor([2.0, -1.0])
    padded[-1, -2:] = torch.tensor([-1.0, 2.0])
    return torch.einsum("kn,knp->kp", weights, padded[left[:, None] + torch.arange(4)])


def _warp(curves: Tensor, hand: Hand, generator: torch.Generator) -> Tensor:
    """A slow and a fast sine displacement of the plane, the same for all strokes of an instance."""
    count = len(curves)
    for frequency, amplitude in ((1.5, hand.warp_slow), (3.0, hand.warp_fast)):
        sign = torch.randint(0, 2, (count, 1, 2, 2), generator=generator) * 2 - 1
        wave = frequency * (0.6 + 0.8 * torch.rand(count, 1, 2, 2, generator=generator)) * sign
        phase = 2 * torch.pi * torch.rand(count, 1, 1, 2, generator=generator)
        size = amplitude * torch.randn(count, 1, 1, 2, generator=generator)
        curves = curves + size * torch.sin(curves @ wave + phase)
    return curves


def _slant(curves: Tensor, hand: Hand, generator: torch.Generator) -> Tensor:
    """Rotation, slant and aspect of the whole character."""
    angle, slant, log_aspect = torch.randn(3, len(curves), generator=generator)
    angle, slant, aspect = angle * hand.rotation, slant * hand.slant, torch.exp(log_aspect * hand.log_aspect)
    cos, sin = angle.cos(), angle.sin()
    rotate = torch.stack([torch.stack([cos, sin], dim=-1), torch.stack([-sin, cos], dim=-1)], dim=-2)
    shear = torch.stack(
        [torch.stack([aspect, 0 * aspect], dim=-1), torch.stack([slant, 1 + 0 * slant], dim=-1)], dim=-2
    )
    return curves @ (shear @ rotate)[:, None]


def _place(curves: Tensor, drawn: Tensor, radius: Tensor, hand: Hand, generator: torch.Generator) -> Tensor:
    """Scale an instance so that it nearly fills the sheet, and move it near the centre; the result is in pixels of the sheet."""
    low, high = bounds(curves, drawn)
    room = SHEET - 2 * radius[:, None]
    scale = (room / (high - low).clamp(min=1e-3)).amin(dim=1)
    scale = scale * torch.exp(-hand.shrink * torch.rand(len(curves), generator=generator))
    shift = hand.shift * torch.randn(len(curves), 1, 1, 2, generator=generator)
    return (curves - ((low + high) / 2)[:, None, None]) * scale[:, None, None, None] + SHEET / 2 + shift


def _ink(curves: Tensor, drawn: Tensor, radius: Tensor) -> Tensor:
    """Whether each pixel of the sheet lies within the pen's radius of a curve's point: bool [N, SHEET, SHEET]."""
    points = torch.where(drawn[:, :, None, None], curves, -1e3).flatten(1, 2)
    centres = torch.arange(SHEET) + 0.5
    pixels = torch.cartesian_prod(centres, centres).flip(1)  # row by row, x first
    # |pixel - point|^2 is one matrix product; |pixel|^2 is the same for all points, so it is added after the minimum.
    lifted = torch.cat([-2 * points, points.square().sum(dim=-1, keepdim=True)], dim=-1)
    nearest = (lifted @ torch.cat([pixels, torch.ones(len(pixels), 1)], dim=1).T).amin(dim=1)
    squared = nearest + pixels.square().sum(dim=1)
    inside: Tensor = (squared < radius[:, None].square()).unflatten(1, (SHEET, SHEET))
    return inside


def _sample_down(ink: Tensor) -> Tensor:
    """The share of ink in each block of 4x4 pixels: bool [N, SHEET, SHEET] to uint8 [N, SMALL, SMALL].

    Source: the target was made in the same way, from 32x32 bitmaps that were counted in blocks of 4x4: Alpaydin and Kaynak, "Optical Recognition of
    Handwritten Digits", UCI, 1998.
    """
    counts = F.avg_pool2d(ink[:, None].float(), SHEET // SMALL)[:, 0] * LEVELS
    return (counts * (255 / LEVELS)).round().to(torch.uint8)
