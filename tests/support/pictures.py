"""One picture that looks like a photograph to a decoder, in any kind of file."""

import io

import numpy as np
from PIL import Image


def picture(width: int = 150, height: int = 100) -> Image.Image:
    """Smooth waves with some noise, in colour."""
    y, x = np.mgrid[0:height, 0:width]
    waves = np.stack([np.sin(x / 9), np.cos(y / 7), np.sin((x + y) / 11)], -1)
    noise = np.random.default_rng(0).normal(0, 4, waves.shape)
    return Image.fromarray((120 + 90 * waves + noise).clip(0, 255).astype(np.uint8))


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
