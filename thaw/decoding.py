"""From an image file's bytes to the pixels that a backbone takes: the fast way where it gives the same picture, Pillow's elsewhere.

JPEG files are decoded by torchvision into a tensor and resized there, within 1 of 255 of Pillow's way (`thaw.reference`). All other kinds, and
JPEG files that are neither grey nor colour (CMYK), go Pillow's way itself.
"""

import torch
from PIL import ImageFile
from torchvision.io import ImageReadMode, decode_image

from thaw.inputs.images import open_image, upright_rgb
from thaw.preprocessing import Preprocessing

_PLAIN_MODES = ("L", "RGB")
_INTERPOLATIONS = ("bilinear", "bicubic")
"""In which torchvision and Pillow agree; they take other pixels for the nearest."""


def decode_pixels(content: bytes, preprocessing: Preprocessing, max_pixels: int) -> torch.Tensor:
    """Decode, turn upright, resize and crop an image file: uint8 [3, H, W]. Safe to call from threads.

    Raises:
        BadImage: it is none, or damaged, or has more than `max_pixels` pixels; see `thaw.inputs.images.decode`.
    """
    opened = open_image(content, max_pixels)
    alike = _is_plain_jpeg(opened) and preprocessing.interpolation in _INTERPOLATIONS
    whole = _decode_jpeg(content) if alike else None
    if whole is None:
        return preprocessing.pixels(upright_rgb(opened))
    return preprocessing.pixels_of_tensor(whole)


def _is_plain_jpeg(image: ImageFile.ImageFile) -> bool:
    return image.format in ("JPEG", "MPO") and image.mode in _PLAIN_MODES


def _decode_jpeg(content: bytes) -> torch.Tensor | None:
    """uint8 [3, H, W]; None where torchvision refuses a file, which Pillow may still read."""
    encoded = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    try:
        return decode_image(encoded, ImageReadMode.RGB, apply_exif_orientation=True)
    except RuntimeError:
        return None
