"""Image files: from their bytes to an upright RGB image, or to the reason why there is none; a file's ending does not matter."""

import io
import struct
import warnings

from PIL import Image, ImageFile

from thaw.foundation.errors import BadExample
from thaw.kinds.images.dicom.file import FORMAT as DICOM
from thaw.kinds.images.dicom.file import DicomFile
from thaw.kinds.images.dicom.reading import is_dicom
from thaw.kinds.images.greys import USUAL, Greys, eight_bits, has_deep_colours, values_of
from thaw.kinds.kind import Stored

Image.init()
# Decompression bombs are refused below, by the header and the user's own limit, so Pillow's warnings add nothing.
# The filter is set once, here: filters set for each call would not be safe with threads.
warnings.filterwarnings("ignore", module=r"PIL\b")

_KINDS = (
    "JPEG",
    "PNG",
    "WEBP",
    "GIF",
    "BMP",
    "DIB",
    "TIFF",
    "JPEG2000",
    "AVIF",
    "PPM",
    "PSD",
    "QOI",
    "PCX",
    "SGI",
    "SUN",
    "TGA",
)
KINDS = tuple(kind for kind in _KINDS if kind in Image.OPEN)
"""The formats that are read, beside DICOM. Left out: EPS, which runs another program; WMF, which only some systems read; icons (ICO)."""

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 0x0112
_WHITE = (255, 255, 255, 255)
_NOT_THIS_KIND = (SyntaxError, IndexError, TypeError, struct.error)
"""The errors of Pillow's plugins for a file of another format, or with a damaged header."""

_MOST_BYTES_PER_PIXEL = 16
_MOST_OVERHEAD = 64 * 2**20


def decode(content: bytes, max_pixels: int, greys: Greys = USUAL) -> Image.Image:
    """Decode an image file whole: RGB, 8 bits a channel, upright by its EXIF; of several frames the one of `greys`.

    Transparent parts come out on white. Greys of more than 8 bits are scaled by the ranges of `greys`. Without them, 16-bit grey is scaled by its full range;
    other deep greys (32-bit, float) by the smallest of 0..1, 0..255 and 0..65535 that holds their values, else by their own range. Safe to call from threads.

    Raises:
        BadExample: the reason is the end of a sentence ("is empty"). More than `max_pixels` pixels are
            refused by the header, before anything is decoded.
    """
    return upright_rgb(open_image(content, max_pixels), greys)


def inspect(content: bytes, max_pixels: int) -> Stored:
    """Decode an image file whole, like `decode`, and return its format by Pillow's name ("JPEG"), its shape (height, width, channels), and the range of its
    values if it has more than 8 bits.

    Height and width are those of the upright image; channels are those of the file (1 for grey and for a palette, 4 for CMYK).

    Raises:
        BadExample: see `decode`.
    """
    image = open_image(content, max_pixels)
    kind, channels = image.format or "", len(image.getbands())
    deep_colours, upright = has_deep_colours(image), upright_rgb(image)
    return Stored(
        "JPEG" if kind == "MPO" else kind,
        (upright.height, upright.width, channels),
        values_of(image, deep_colours=deep_colours),
        _unread(image),
    )


def _unread(image: ImageFile.ImageFile) -> str | None:
    """The part of a file that `decode` leaves out; see `_to_frame`."""
    if image.format == "MPO":
        return None
    try:
        frames = getattr(image, "n_frames", 1)
    except Exception:  # the later frames of a damaged file are not read, so they need not be whole
        return None
    return "all frames but one" if frames > 1 else None


def refuse_size(nbytes: int, max_pixels: int) -> None:
    """Refuse a file by its size alone, before it is read.

    Raises:
        BadExample: no image of `max_pixels` pixels has that many bytes.
    """
    if nbytes > _most_bytes(max_pixels):
        raise BadExample(f"has {nbytes / 1e9:.1f} GB, more than any image that `dataset.max_megapixels` allows")


def _most_bytes(max_pixels: int) -> int:
    return max_pixels * _MOST_BYTES_PER_PIXEL + _MOST_OVERHEAD


def fits_ending(kind: str, suffix: str) -> bool:
    """Whether a file's ending, such as `.jpg`, fits the stored format; DICOM files are often named by numbers, and have any ending."""
    if kind == DICOM:
        return True
    named = Image.registered_extensions().get(suffix.lower())
    alike = {"MPO": "JPEG", "DIB": "BMP"}
    return named is not None and alike.get(named, named) == alike.get(kind, kind)


def open_image(content: bytes, max_pixels: int) -> ImageFile.ImageFile:
    """Read the header, and decode nothing yet.

    Raises:
        BadExample: the bytes are no image, or the image has more than `max_pixels` pixels.

    `Image.open` is not used, because its own limit is a flag of the whole process and warns at half of its value.
    """
    if not content:
        raise BadExample("is empty (zero bytes)")
    if is_dicom(content):
        dicom = DicomFile(content, _most_bytes(max_pixels))
        _check_size(dicom, max_pixels)
        return dicom
    for kind in KINDS:
        try:
            image = _try(kind, content)
        except _NOT_THIS_KIND:
            continue
        except Image.DecompressionBombError as error:
            raise BadExample("has far more pixels than any photograph; it may be a decompression bomb") from error
        except Exception as error:
            raise _damaged(error) from error
        if image is not None:
            _check_size(image, max_pixels)
            return image
    raise BadExample(_what_else(content))


def _try(kind: str, content: bytes) -> ImageFile.ImageFile | None:
    """Open as one format; None, or an error of `_NOT_THIS_KIND`: the first bytes or the header are of another format."""
    factory, accept = Image.OPEN[kind]
    accepted = accept is None or accept(content[:16]) is True
    return factory(io.BytesIO(content), "") if accepted else None


def _check_size(image: Image.Image, max_pixels: int) -> None:
    width, height = image.size
    if width * height == 0:
        raise BadExample("has no pixels")
    if width * height > max_pixels:
        raise BadExample(
            f"has {width} x {height} pixels, {width * height / 1e6:.1f} megapixels; "
            f"`dataset.max_megapixels` allows {max_pixels / 1e6:g}"
        )


def upright_rgb(image: ImageFile.ImageFile, greys: Greys = USUAL) -> Image.Image:
    """Decode an opened image to upright RGB; see `decode`.

    Raises:
        BadExample: the image is damaged.
    """
    try:
        _to_frame(image, greys)
        image.load()
        orientation = orientation_of(image)
        flat = _flatten(image, greys)
        return flat.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else flat
    except BadExample:
        raise
    except Exception as error:  # Pillow's plugins may raise any error on a damaged file, and no file may stop a run
        raise _damaged(error) from error


def _to_frame(image: ImageFile.ImageFile, greys: Greys) -> None:
    """Go to the frame that is read. The second image of an MPO is a preview, or the view of the other eye."""
    if greys.frame == "first" or image.format == "MPO":
        return
    place, size = greys.place_of(getattr(image, "n_frames", 1)), image.size
    if place:
        image.seek(place)
    if image.size[0] * image.size[1] > size[0] * size[1]:
        raise BadExample("has frames that are larger than its first")


def orientation_of(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 if the EXIF data cannot be read. (Pillow itself turns TIFF.)"""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:
        return 1


def _flatten(image: Image.Image, greys: Greys) -> Image.Image:
    """An image of any mode as RGB with 8 bits a channel."""
    if (deep := eight_bits(image, greys)) is not None:
        return deep
    if image.mode == "La":
        image = image.convert("LA")
    if image.has_transparency_data:
        colours = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", colours.size, _WHITE), colours).convert("RGB")
    return image.convert("RGB")


def _damaged(error: Exception) -> BadExample:
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    # An object's address in the text would make the list of rejected files differ from run to run.
    return BadExample(f"is truncated or damaged ({type(error).__name__ if ' at 0x' in text else text})")


def _what_else(content: bytes) -> str:
    """The reason for refusing bytes that are no image; common other files are named."""
    start = content[:512].lstrip().lower()
    if start.startswith(b"version https://git-lfs"):
        return "is a Git LFS pointer, not the image; run `git lfs pull`"
    if content[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypmsf1"):
        return "is a HEIC photograph, which cannot be read; convert it to JPEG"
    if start.startswith((b"<!doctype html", b"<html")):
        return "is a web page, not an image; the download failed"
    return "is not an image of a kind that can be read, or its header is damaged"
