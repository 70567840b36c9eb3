"""Decoded images as tensors, for what learns from pixels; kept in a temporary file, so memory does not grow with them."""

import io
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from thaw.kinds.images.decoding import decode_pixels
from thaw.kinds.images.files import decode
from thaw.kinds.images.preprocessing import Preprocessing
from thaw.kinds.images.reading import Reference, read_ingested
from thaw.kinds.kind import Limits

PIXEL_SIDE = 32
"""Raw pixels are scaled down to at most this many a side before they are learnt from."""


def read_image(reference: Reference, limits: Limits) -> Image.Image:
    """Decode the image that was ingested: RGB.

    Raises:
        BadSource: it is gone, or is not the one that was ingested.
    """
    return decode(read_ingested(*reference), limits.max_pixels)


def read_pixels(references: Sequence[Reference], preprocessing: Preprocessing, *, limits: Limits) -> torch.Tensor:
    """Every example as the backbone takes it, before it is normalised, by the way that features were made: uint8 [N, 3, H, W].

    The tensor is a memory map of a file that is already unlinked: the system may page it out, and it goes with the tensor.

    Raises:
        BadSource: an image is gone, or is not the one that was ingested.
    """

    def pixels(reference: Reference) -> torch.Tensor:
        return decode_pixels(read_ingested(*reference), preprocessing, limits.max_pixels)

    shape = (len(references), *pixels(references[0]).shape)
    with tempfile.TemporaryFile() as file:
        held = np.memmap(file, np.uint8, "w+", shape=shape)

    def fill(row: int) -> None:
        held[row] = pixels(references[row]).numpy()

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(fill, range(len(references))):
            pass
    return torch.from_numpy(held)


def thumbnail_of(reference: Reference, limits: Limits, side: int = 160) -> bytes:
    """The image, at most `side` pixels a side, as PNG; small images stay as they are.

    Raises:
        BadSource: it is gone, or is not the one that was ingested.
    """
    image = read_image(reference, limits)
    image.thumbnail((side, side))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def flat_pixels(images: torch.Tensor) -> torch.Tensor:
    """uint8 [N, 3, H, W] as float32 [N, D] on the scale [0, 1], scaled down to `PIXEL_SIDE` a side where they are larger."""
    pixels = images.float() / 255
    if max(pixels.shape[2:]) > PIXEL_SIDE:
        pixels = F.interpolate(pixels, (PIXEL_SIDE, PIXEL_SIDE), mode="bilinear", antialias=True)
    return pixels.flatten(1)
