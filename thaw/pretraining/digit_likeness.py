"""The likeness of invented characters to printed digits; similar characters are left out, so that the source task holds no target class."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from thaw.pretraining.rendering import SHEET, SMALL, Hand, write
from thaw.pretraining.strokes import Characters

DIGITS = "0123456789"
FONTS = (
    "DejaVuSans",
    "DejaVuSans-Oblique",
    "DejaVuSansMono",
    "DejaVuSerif",
    "STIXGeneral",
    "STIXGeneralItalic",
)
"""Fonts of the matplotlib package."""
WIDTHS = (0.8, 1.0, 1.25)
"""Factors of the width of each glyph."""
PLAIN = Hand(
    stroke_shape=0, stroke_shift=0, point_shift=0, warp_slow=0, warp_fast=0, rotation=0, slant=0, log_aspect=0,
    pen_radius_spread=0, shrink=0, shift=0,
)  # fmt: skip
"""A hand without any variation."""


def digit_likeness(characters: Characters) -> Tensor:
    """The correlation of each character, plainly written, with the most similar printed digit: float32 [N], at most 1."""
    return likeness(write(characters, PLAIN, torch.Generator().manual_seed(0)), digit_templates())


def likeness(images: Tensor, templates: Tensor) -> Tensor:
    """The largest Pearson correlation of each image with a template: uint8 [N, 8, 8] and [T, 8, 8] to float32 [N]."""
    return (_standardise(images) @ _standardise(templates).T).amax(dim=1)


def digit_templates() -> Tensor:
    """The ten printed digits in every font and width: uint8 [10 * fonts * widths, 8, 8], ink bright, filling the height."""
    return torch.stack([printed(character, font, width) for character in DIGITS for font in FONTS for width in WIDTHS])


def printed(character: str, font: str, width: float = 1.0) -> Tensor:
    """A printed character, its height fitted to the image and its natural width scaled by `width`: uint8 [8, 8]."""
    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{font}.ttf"
    canvas = Image.new("L", (256, 256))
    ImageDraw.Draw(canvas).text((128, 128), character, fill=255, font=ImageFont.truetype(path, 128), anchor="mm")
    glyph = canvas.crop(canvas.getbbox())
    size = (max(1, min(SHEET, round(SHEET * width * glyph.width / glyph.height))), SHEET)
    sheet = Image.new("L", (SHEET, SHEET))
    sheet.paste(glyph.resize(size, Image.Resampling.BOX), ((SHEET - size[0]) // 2, 0))
    small = F.avg_pool2d(torch.from_numpy(np.array(sheet)).float()[None], SHEET // SMALL)[0]
    return small.round().to(torch.uint8)


def _standardise(images: Tensor) -> Tensor:
    """Flat images of mean 0 and length 1, so that a product is a correlation."""
    flat = images.flatten(1).float()
    return F.normalize(flat - flat.mean(dim=1, keepdim=True), dim=1)
