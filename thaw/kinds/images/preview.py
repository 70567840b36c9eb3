"""What pages show of an image: the image itself, made smaller."""

import io

from PIL import Image

from thaw.kinds.images.files import decode, open_image, upright_rgb
from thaw.kinds.kind import Preview

SIDE, SMALL_SIDE = 160, 128
"""The longer side of a preview, in pixels; smaller images stay as they are."""
_LOSSLESS = 64
"""Up to this side a small preview is PNG: JPEG blurs what is so small, and saves nothing."""
_QUALITY = 82


def preview(content: bytes, max_pixels: int, *, small: bool) -> Preview:
    """PNG; of small ones JPEG where that saves something.

    Raises:
        BadExample: it is no image, damaged, or has more than `max_pixels` pixels.
    """
    return _small(content, max_pixels) if small else _png(decode(content, max_pixels), SIDE)


def _small(content: bytes, max_pixels: int) -> Preview:
    opened = open_image(content, max_pixels)
    # Of JPEG alone: decoded at a fraction of its size, still twice as large as needed.
    opened.draft("RGB", (2 * SMALL_SIDE, 2 * SMALL_SIDE))
    image = upright_rgb(opened)
    image.thumbnail((SMALL_SIDE, SMALL_SIDE))
    if max(image.size) <= _LOSSLESS:
        return _png(image, SMALL_SIDE)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY)
    return Preview("image/jpeg", buffer.getvalue())


def _png(image: Image.Image, side: int) -> Preview:
    image.thumbnail((side, side))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return Preview("image/png", buffer.getvalue())
