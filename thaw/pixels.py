"""Decoded images as tensors, for what learns from pixels; kept in a temporary file, so memory does not grow with them."""

import io
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from thaw.decoding import decode_pixels
from thaw.inputs.images import decode
from thaw.manifest import Example
from thaw.pixel_source import read_ingested
from thaw.preprocessing import Preprocessing


def read_image(example: Example, source: Path, max_pixels: int) -> Image.Image:
    """Decode the image that was ingested: RGB.

    Raises:
        BadSource: it is gone, or is not the one that was ingested.
    """
    return decode(read_ingested(example.digest, source / example.path), max_pixels)


def read_pixels(
    examples: Sequence[Example], source: Path, preprocessing: Preprocessing, *, max_pixels: int
) -> torch.Tensor:
    """Every example as the backbone takes it, before it is normalised, by the way that features were made: uint8 [N, 3, H, W].

    The tensor is a memory map of a file that is already unlinked: the system may page it out, and it goes with the tensor.

    Raises:
        BadSource: an image is gone, or is not the one that was ingested.
    """

    def pixels(example: Example) -> torch.Tensor:
        return decode_pixels(read_ingested(example.digest, source / example.path), preprocessing, max_pixels)

    shape = (len(examples), *pixels(examples[0]).shape)
    with tempfile.TemporaryFile() as file:
        held = np.memmap(file, np.uint8, "w+", shape=shape)

    def fill(row: int) -> None:
        held[row] = pixels(examples[row]).numpy()

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(fill, range(len(examples))):
            pass
    return torch.from_numpy(held)


def thumbnail_of(example: Example, source: Path, max_pixels: int, side: int = 160) -> bytes:
    """The image, at most `side` pixels a side, as PNG; small images stay as they are.

    Raises:
        BadSource: it is gone, or is not the one that was ingested.
    """
    image = read_image(example, source, max_pixels)
    image.thumbnail((side, side))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
