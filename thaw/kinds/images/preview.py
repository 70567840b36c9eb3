"""The preview of an image on pages: the image itself, made smaller."""

import io

from PIL import Image

from thaw.kinds.images.files import decode, open_image, upright_rgb
from thaw.kinds.images.greys import USUAL, Greys
from thaw.kinds.kind import Preview

SIDE, SMALL_SIDE = 160, 128
"""The longer side of a preview, in pixels; smaller images stay as they are."""
_LOSSLESS = 64
"""The longest side of small previews that are PNG; JPEG blurs such small images, and saves nothing."""
_QUALITY = 82


def preview(content: bytes, max_pixels: int, *, small: bool, greys: Greys = USUAL) -> Preview:
    """A preview as PNG; a small preview is JPEG if that has fewer bytes. greys: the ranges of the set's deep greys.

    Raises:
        BadExample: the bytes are no image, or damaged, or of more than `max_pixels` pixels.
    """
    return _small(content, max_pixels, greys) if small else _png(decode(content, max_pixels, greys), SIDE)


def _small(content: bytes, max_pixels: int, greys: Greys) -> Preview:
    opened = open_image(content, max_pixels)
    # This works for JPEG alone: it is decoded at a fraction of its size, still twice as large as needed.
    opened.draft("RGB", (2 * SMALL_SIDE, 2 * SMALL_SIDE))
    image = upright_rgb(opened, greys)
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
