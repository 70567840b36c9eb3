"""Every kind of picture that people keep comes out upright, RGB and 8-bit, or is refused with the reason."""

import io
import struct
import warnings
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFile

from thaw.foundation.errors import BadExample
from thaw.kinds.images.files import decode, fits_ending, inspect

MOST = 1_000_000
RED, BLUE = (255, 0, 0), (0, 0, 255)


def stored(image: Image.Image, kind: str, **options: Any) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def noise(height: int = 40, width: int = 60) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


def corner() -> Image.Image:
    """20 high, 30 wide; white but for a red block at the upper left."""
    image = Image.new("RGB", (30, 20), "white")
    image.paste(RED, (0, 0, 10, 8))
    return image


def grey(image: Image.Image) -> np.ndarray:
    pixels = np.asarray(decode_stored(image, "TIFF"))
    assert (pixels[..., :1] == pixels).all()
    return pixels[..., 0]


def decode_stored(image: Image.Image, kind: str, **options: Any) -> Image.Image:
    decoded = decode(stored(image, kind, **options), MOST)
    assert decoded.mode == "RGB"
    return decoded


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "TGA", "JPEG2000"])
def test_lossless_kinds_come_back_exactly(kind: str) -> None:
    image = noise()
    if kind == "GIF":
        image = image.quantize(64).convert("RGB")
    options = {"lossless": True} if kind == "WEBP" else {"irreversible": False} if kind == "JPEG2000" else {}
    content = stored(image, kind, **options)
    assert np.array_equal(np.asarray(decode(content, MOST)), np.asarray(image))
    assert inspect(content, MOST).format == kind


def test_jpeg_is_what_pillow_makes_of_it() -> None:
    content = stored(noise(), "JPEG")
    assert decode(content, MOST).tobytes() == Image.open(io.BytesIO(content)).convert("RGB").tobytes()
    assert inspect(content, MOST).shape == (40, 60, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_undone(orientation: int, kind: str) -> None:
    """Store the picture turned so that the orientation tag turns it back."""
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    turned = corner() if undo is None else corner().transpose(undo)
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = stored(turned, kind, exif=exif, **({"quality": 95} if kind in ("JPEG", "WEBP") else {}))
    pixels = np.asarray(decode(content, MOST)).astype(int)
    assert np.abs(pixels - np.asarray(corner()).astype(int)).mean() < 8
    assert inspect(content, MOST).shape == (20, 30, 3)


@pytest.mark.parametrize("exif", [b"Exif\0\0" + b"\xff" * 40, b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM"])
def test_unreadable_exif_does_not_cost_the_picture(exif: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert decode_stored(noise(), "JPEG", exif=exif).size == (60, 40)


def test_cmyk_keeps_its_colours() -> None:
    content = stored(Image.new("RGB", (16, 16), (200, 30, 40)).convert("CMYK"), "JPEG", quality=95)
    assert np.abs(np.asarray(decode(content, MOST)).astype(int) - (200, 30, 40)).max() < 6
    assert inspect(content, MOST).shape == (16, 16, 4)


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    for kind in ("PNG", "TIFF"):
        content = stored(Image.fromarray(ramp), kind)
        assert np.array_equal(np.asarray(decode(content, MOST))[..., 0], np.rint(ramp / 257))
        assert inspect(content, MOST).shape == (16, 16, 1)


def test_dark_sixteen_bit_pgm_stays_dark() -> None:
    """Pillow opens it as 32-bit integers; the scale is the file's, not that of its brightest pixel."""
    ramp = np.arange(256, dtype=">u2").reshape(16, 16)
    pixels = np.asarray(decode(b"P5\n16 16\n65535\n" + ramp.tobytes(), MOST))
    assert pixels.max() == 1


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 128, 255]], np.int32), [0, 128, 255]),
        (np.array([[0, 257, 65535]], np.int32), [0, 1, 255]),
        (np.array([[-100, 0, 100]], np.int32), [0, 128, 255]),
        (np.array([[0, 2**20, 2**21]], np.int32), [0, 128, 255]),
        (np.array([[0.0, 0.5, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[0.0, 99.6, 255.0]], np.float32), [0, 100, 255]),
        (np.array([[-1.0, 0.0, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[-0.1, 0.0, 0.1]], np.float32), [0, 128, 255]),
        (np.array([[np.nan, np.inf, 1.0]], np.float32), [0, 0, 255]),
        (np.array([[7e5, 7e5, 7e5]], np.float32), [0, 0, 0]),
    ],
)
def test_deep_grey_is_scaled_by_the_range_that_holds_it(values: np.ndarray, expected: list[int]) -> None:
    assert grey(Image.fromarray(values))[0].tolist() == expected


def test_palette_and_bilevel() -> None:
    palette = noise().quantize(32)
    assert decode_stored(palette, "PNG").tobytes() == palette.convert("RGB").tobytes()
    assert np.asarray(decode_stored(Image.new("1", (4, 4), 1), "PNG")).min() == 255


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_alpha_comes_out_on_white(kind: str) -> None:
    image = Image.new("RGBA", (3, 1))
    image.putdata([(255, 0, 0, 255), (255, 0, 0, 0), (0, 0, 0, 128)])
    content = stored(image, kind, **({"lossless": True, "exact": True} if kind == "WEBP" else {}))
    pixels = np.asarray(decode(content, MOST))[0]
    assert pixels[0].tolist() == [255, 0, 0]
    assert pixels[1].tolist() == [255, 255, 255]
    assert np.abs(pixels[2].astype(int) - 127).max() <= 1


def test_other_transparency_comes_out_on_white() -> None:
    grey_alpha = Image.new("LA", (1, 1), (0, 0))
    assert decode_stored(grey_alpha, "PNG").getpixel((0, 0)) == (255, 255, 255)
    palette = Image.new("P", (1, 1))
    palette.putpalette([9, 9, 9])
    assert decode_stored(palette, "PNG", transparency=0).getpixel((0, 0)) == (255, 255, 255)
    assert decode_stored(palette, "GIF", transparency=0).getpixel((0, 0)) == (255, 255, 255)
    assert decode_stored(Image.new("RGB", (1, 1), RED), "PNG", transparency=RED).getpixel((0, 0)) == (
        255,
        255,
        255,
    )


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame(kind: str) -> None:
    frames = [Image.new("RGB", (16, 16), RED), Image.new("RGB", (16, 16), BLUE)]
    content = stored(frames[0], kind, save_all=True, append_images=frames[1:])
    red, _, blue = decode(content, MOST).getpixel((8, 8))  # type: ignore[misc]
    assert red > 240
    assert blue < 15


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_truncated_files_are_refused(kind: str, share: float) -> None:
    content = stored(noise(200, 200), kind)
    with pytest.raises(BadExample):
        decode(content[: int(len(content) * share)], MOST)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"hello, world", "is not an image"),
        (bytes(10_000), "is not an image"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 1\n", "Git LFS pointer"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "is not an image"),
    ],
)
def test_what_is_no_image_is_named(content: bytes, reason: str) -> None:
    with pytest.raises(BadExample, match=reason):
        decode(content, MOST)


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header promises far more than its few bytes hold."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(10_001, 10_000), (100_000, 100_000), (2**31 - 1, 2**31 - 1)])
def test_bombs_are_refused_from_the_header_without_a_warning(width: int, height: int) -> None:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with pytest.raises(BadExample, match=rf"{width} x {height} pixels.*allows 64"):
            decode(bomb(width, height), 64_000_000)
    assert said == []


def test_a_higher_limit_lets_a_large_image_through() -> None:
    content = stored(Image.new("1", (12_000, 8_000)), "PNG")
    with pytest.raises(BadExample, match=r"96\.0 megapixels"):
        decode(content, 64_000_000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert inspect(content, 96_000_000).shape == (8_000, 12_000, 1)


@pytest.mark.filterwarnings("ignore::UserWarning")  # pytest resets the filter that the module sets
@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\0", b"BM", b"RIFF"]),
)
def test_no_bytes_raise_anything_but_bad_image(content: bytes, start: bytes) -> None:
    try:
        decode(start + content, 10_000)
    except BadExample as error:
        assert "\n" not in str(error)
        assert " at 0x" not in str(error)


@pytest.mark.filterwarnings("ignore::UserWarning")
@given(data=st.data(), kind=st.sampled_from(["JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP"]))
def test_no_flipped_byte_raises_anything_but_bad_image(data: st.DataObject, kind: str) -> None:
    content = bytearray(stored(noise(12, 10), kind))
    for _ in range(3):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(BadExample):
        assert decode(bytes(content), 10_000).mode == "RGB"


def test_threads_agree_and_leave_pillow_as_it_was() -> None:
    contents = [stored(noise(30 + i, 40), kind) for i in range(10) for kind in ("JPEG", "PNG", "GIF", "WEBP")]
    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)
    read: Callable[[bytes], bytes] = lambda content: decode(content, MOST).tobytes()  # noqa: E731
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, contents)) == [read(content) for content in contents]
    after = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)
    assert after == before
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_endings() -> None:
    assert fits_ending("JPEG", ".JPG")
    assert fits_ending("JPEG", ".jpeg")
    assert fits_ending("TIFF", ".tif")
    assert not fits_ending("JPEG", ".png")
    assert not fits_ending("PNG", "")


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "WEBP", "PNG"])
def test_frames_that_are_not_read_are_stated(kind: str) -> None:
    frames = [Image.new("RGB", (16, 16), RED), Image.new("RGB", (16, 16), BLUE)]
    several = stored(frames[0], kind, save_all=True, append_images=frames[1:])
    assert inspect(several, MOST).unread == "all frames but one"
    assert inspect(stored(frames[0], kind), MOST).unread is None
