"""Images that are given as values; each becomes the bytes of a file, so that all images are decoded in one way."""

import io
from typing import Any

import numpy as np
from PIL import Image

from thaw.foundation.errors import BadExample
from thaw.kinds.values import bytes_of

TINY = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAADklEQVR4nGP4zwADFLEA"
    "HzcH+VNH7jQAAAAASUVORK5CYII="
)
"""An image of 8 x 8 pixels."""


def from_value(value: object) -> bytes:
    """The bytes of an image that is given as bytes, as a path, as a `data:` URL, or as an array (see `png_of`).

    Raises:
        BadExample: the value is none of these.
        OSError: the file cannot be read.
    """
    if isinstance(value, np.ndarray | list):
        return png_of(np.asarray(value))
    content = bytes_of(value)
    if content is not None:
        return content
    raise BadExample(f"is given as {type(value).__name__}; paths, bytes, `data:` URLs and uint8 arrays are taken")


def png_of(array: np.ndarray[Any, Any]) -> bytes:
    """A PNG file of uint8 [H, W], [H, W, 1] or [H, W, 3], or of other integers from 0 to 255, such as JSON's.

    Raises:
        BadExample: the array has another shape or other values.
    """
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.size == 0 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3):
        raise BadExample(f"is an array of shape {array.shape}; [H, W] or [H, W, 3] is taken")
    if not np.issubdtype(array.dtype, np.integer) or array.min() < 0 or array.max() > 255:
        raise BadExample(f"is an array of {array.dtype} from {array.min()} to {array.max()}; uint8 is taken")
    buffer = io.BytesIO()
    Image.fromarray(array.astype(np.uint8)).save(buffer, "PNG", compress_level=0)
    return buffer.getvalue()


def noise_files(count: int) -> list[bytes]:
    """PNG files of 72 x 72 pixels with noise, from even grey to all tones."""
    noise = np.random.default_rng(0)
    return [_noise(noise, 1 + (level + 1) * 255 // count) for level in range(count)]


def _noise(noise: np.random.Generator, tones: int) -> bytes:
    colours = noise.integers(0, tones, (9, 9, 3), dtype=np.uint8, endpoint=False)
    return png_of(np.asarray(Image.fromarray(colours).resize((72, 72))))
