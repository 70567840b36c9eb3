"""Images that are blurred in one place, and the map of what that changed, laid over the image."""

import io

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from thaw.kinds.kind import Preview
from thaw.kinds.veils import Veils

GRID = 7
"""Places across and down."""
SIDE = 224
"""The side of a map's picture, in pixels."""
_REACH = 0.5
"""How far a veil reaches beyond its place on each side, in places; wider veils hide things that lie on a border between places."""
_FOR, _AGAINST = (213, 94, 0), (0, 114, 178)
"""Vermilion and blue, which colour-blind people can tell apart."""
_STRONGEST = 0.65
"""The opacity of the strongest place."""


def veiled(image: Tensor) -> Veils:
    """A prepared image uint8 [3, H, W] with each place of a grid blurred until only its mean colours are left.

    A blur leaves the colours and takes the detail; a patch of one colour would be a detail of its own. Source: Fong and Vedaldi, "Interpretable explanations of
    black boxes by meaningful perturbation", ICCV 2017 (the blur), and Zeiler and Fergus, "Visualizing and understanding convolutional networks", ECCV 2014
    (the grid of places).
    """
    height, width = image.shape[-2:]
    rows, columns = min(GRID, height), min(GRID, width)
    blurred = _blurred(image, max(1, rows // 2), max(1, columns // 2))
    without = []
    for row in range(rows):
        for column in range(columns):
            top, bottom = _edges(row, rows, height)
            left, right = _edges(column, columns, width)
            copy = image.clone()
            copy[:, top:bottom, left:right] = blurred[:, top:bottom, left:right]
            without.append(copy)
    return Veils(rows, columns, tuple(without))


def map_preview(image: Tensor, strengths: NDArray[np.float64]) -> Preview:
    """The prepared image, uint8 [3, H, W], under the map of strengths, float64 [rows, columns] from -1 to 1: orange speaks for an answer, blue against it."""
    shown = Image.fromarray(image.permute(1, 2, 0).numpy(), "RGB")
    shown = shown.resize((SIDE, round(SIDE * shown.height / shown.width)), Image.Resampling.BILINEAR).convert("L")
    heat = Image.fromarray(strengths.astype(np.float32), "F").resize(shown.size, Image.Resampling.BICUBIC)
    levels = np.clip(np.asarray(heat), -1, 1)
    colours = np.where(levels[..., None] > 0, np.array(_FOR), np.array(_AGAINST)).astype(np.float32)
    opacity = _STRONGEST * np.abs(levels)[..., None]
    mixed = np.asarray(shown, np.float32)[..., None] * (1 - opacity) + colours * opacity
    buffer = io.BytesIO()
    Image.fromarray(np.rint(mixed).astype(np.uint8), "RGB").save(buffer, "PNG")
    return Preview("image/png", buffer.getvalue())


def _blurred(image: Tensor, rows: int, columns: int) -> Tensor:
    means = F.adaptive_avg_pool2d(image[None].float(), (rows, columns))
    smooth = F.interpolate(means, size=image.shape[-2:], mode="bilinear", align_corners=False)
    return smooth[0].round().clamp(0, 255).to(torch.uint8)


def _edges(place: int, places: int, length: int) -> tuple[int, int]:
    size = length / places
    return max(0, round((place - _REACH) * size)), min(length, round((place + 1 + _REACH) * size))
