"""Decoding, from an image file's bytes to a backbone's pixels: by a fast way where it gives the same image, otherwise by Pillow.

JPEG files are decoded by torchvision into a tensor and resized there, within 1 of 255 of Pillow's result. All other formats, and
JPEG files that are neither grey nor colour (CMYK), are decoded by Pillow itself. With `Preprocessing.decoding` "scaled", JPEG files that are much larger
than needed are decoded at a half, a quarter or an eighth of their size, by leaving high frequencies out of the inverse cosine transform.
"""

import numpy as np
import torch
from PIL import Image, ImageFile
from torchvision.io import ImageReadMode, decode_image

from thaw.kinds.images.dicom.file import DicomFile
from thaw.kinds.images.files import open_image, orientation_of, upright_rgb
from thaw.kinds.images.preprocessing import Preprocessing

_PLAIN_MODES = ("L", "RGB")
_DEEP_MODES = ("I", "F")
_DICOM = {32: 22, 64: 26}
_SHALLOW_DICOM = 9
"""Bytes a pixel of a DICOM file during its decoding, by the bits of a value in the file: of 32, of 64, and of fewer."""
_INTERPOLATIONS = ("bilinear", "bicubic")
"""The interpolations in which torchvision and Pillow agree; for `nearest` they choose different pixels."""
LEAST_GAP = 2
"""The least factor by which an image is larger than needed after scaled decoding; the averages of the resizing then hide most of the loss.

Pillow's own `thumbnail` keeps the same factor. So scaled decoding begins with images 4 times as large as needed.
"""


def decode_pixels(content: bytes, preprocessing: Preprocessing, max_pixels: int) -> torch.Tensor:
    """Decode, turn upright, resize and crop an image file: uint8 [3, H, W]. Safe to call from threads.

    Raises:
        BadExample: the bytes are no image, or damaged, or of more than `max_pixels` pixels; see `thaw.kinds.images.files.decode`.
    """
    return preprocessing.view(decode_resized(open_image(content, max_pixels), content, preprocessing))


def decode_resized(opened: ImageFile.ImageFile, content: bytes, preprocessing: Preprocessing) -> torch.Tensor:
    """Decode, turn upright and resize a file: uint8 [3, any, any], for the crops of `Preprocessing.view`.

    opened: the result of `thaw.kinds.images.files.open_image` on `content`.

    Raises:
        BadExample: the file is damaged.
    """
    if not is_plain_jpeg(opened):
        return preprocessing.resized(upright_rgb(opened, preprocessing.greys))
    reduction = scaled_by(opened, preprocessing)
    if reduction > 1:
        width, height = opened.size
        opened.draft(None, (width // reduction, height // reduction))
        return _fitted(upright_rgb(opened), preprocessing)
    if orientation_of(opened) != 1:
        # Pillow reads the orientation from more places than torchvision does.
        return _fitted(upright_rgb(opened), preprocessing)
    whole = _decode_jpeg(content) if preprocessing.interpolation in _INTERPOLATIONS else None
    return preprocessing.resized(upright_rgb(opened)) if whole is None else preprocessing.resized_tensor(whole)


def scaled_by(opened: ImageFile.ImageFile, preprocessing: Preprocessing) -> int:
    """The factor by which scaled decoding shortens the sides of this image: 2, 4 or 8; 1: it is decoded whole."""
    if preprocessing.decoding == "exact" or not is_plain_jpeg(opened):
        return 1
    needed = preprocessing.resize if isinstance(preprocessing.resize, int) else max(preprocessing.resize)
    allowed = (scale for scale in (8, 4, 2) if min(opened.size) >= scale * LEAST_GAP * needed)
    return next(allowed, 1)


def decoded_nbytes(opened: ImageFile.ImageFile, preprocessing: Preprocessing) -> int:
    """The largest memory of the image in bytes, decoded or resized; deep greys pass through float64, and DICOM files through the arrays of their decoders."""
    width, height = opened.size
    if isinstance(opened, DicomFile):
        each = _DICOM.get(opened.header.allocated, _SHALLOW_DICOM)
        return max(each * width * height, resized_nbytes(width, height, preprocessing))
    decoded = 3 * width * height // scaled_by(opened, preprocessing) ** 2
    deep = 8 * width * height if opened.mode in _DEEP_MODES or opened.mode.startswith("I;16") else 0
    return max(decoded, deep, resized_nbytes(width, height, preprocessing))


def resized_nbytes(width: int, height: int, preprocessing: Preprocessing) -> int:
    """The memory of an image of that size after the resizing, in bytes; the longer side of a thin strip becomes very long."""
    if not isinstance(preprocessing.resize, int):
        return 3 * preprocessing.resize[0] * preprocessing.resize[1]
    shorter, longer = sorted((width, height))
    return 3 * preprocessing.resize**2 * longer // shorter


def _fitted(image: Image.Image, preprocessing: Preprocessing) -> torch.Tensor:
    if preprocessing.interpolation not in _INTERPOLATIONS:
        return preprocessing.resized(image)
    # Channels stay last in memory, which torchvision resizes faster than planes.
    return preprocessing.resized_tensor(torch.from_numpy(np.array(image)).permute(2, 0, 1))


def is_plain_jpeg(image: ImageFile.ImageFile) -> bool:
    """Whether an opened file is JPEG, grey or colour."""
    return image.format in ("JPEG", "MPO") and image.mode in _PLAIN_MODES


def _decode_jpeg(content: bytes) -> torch.Tensor | None:
    """uint8 [3, H, W], not turned; None: torchvision refuses the file, and Pillow may still read it."""
    encoded = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    try:
        return decode_image(encoded, ImageReadMode.RGB)
    except RuntimeError:
        return None
