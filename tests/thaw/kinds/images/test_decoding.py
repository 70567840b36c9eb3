"""The fast way gives Pillow's picture: within one level for photographs, to the bit for all else, and refuses the same files."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pictures import encoded, picture
from PIL import Image

from thaw.foundation.errors import BadExample
from thaw.kinds.images.decoding import LEAST_GAP, decode_pixels, decoded_nbytes, scaled_by
from thaw.kinds.images.files import decode, open_image
from thaw.kinds.images.preprocessing import Preprocessing

PREPROCESSING = Preprocessing(64, 56, "bilinear", (0.5, 0.5, 0.5), (0.2, 0.2, 0.2))
MOST = 10**7


def difference(content: bytes, preprocessing: Preprocessing = PREPROCESSING) -> int:
    """The largest difference from Pillow's way, in levels of 255."""
    fast = decode_pixels(content, preprocessing, MOST)
    plain = preprocessing.pixels(decode(content, MOST))
    assert fast.shape == plain.shape and fast.dtype == torch.uint8
    return int((fast.int() - plain.int()).abs().max())


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("options", [{}, {"quality": 95, "subsampling": 0}, {"progressive": True}])
def test_jpeg_differs_by_one_level_at_most(mode: str, options: dict[str, object]) -> None:
    assert difference(encoded(picture().convert(mode), "JPEG", **options)) <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_jpeg_is_turned_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert difference(encoded(picture(), "JPEG", exif=exif)) <= 1


@pytest.mark.parametrize(
    "content",
    [
        encoded(picture().convert("CMYK"), "JPEG"),
        encoded(picture(), "PNG"),
        encoded(picture().quantize(32), "GIF"),
        encoded(picture().convert("L"), "PNG"),
        encoded(picture(), "WEBP", lossless=True),
    ],
    ids=["CMYK JPEG", "PNG", "GIF", "grey PNG", "WebP"],
)
def test_all_else_is_pillows_to_the_bit(content: bytes) -> None:
    assert difference(content) == 0


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "nearest"])
@pytest.mark.parametrize("resize", [40, 200, (30, 70)])
def test_every_preprocessing(interpolation: str, resize: int | tuple[int, int]) -> None:
    crop = None if isinstance(resize, tuple) else 32
    found = difference(
        encoded(picture(), "JPEG", quality=90), Preprocessing(resize, crop, interpolation, (0,) * 3, (1,) * 3)
    )
    assert found <= (2 if interpolation == "bicubic" else 1)


def test_the_same_files_are_refused() -> None:
    whole = encoded(picture(), "JPEG")
    for bad in (b"", b"no picture", whole[:20]):
        with pytest.raises(BadExample):
            decode_pixels(bad, PREPROCESSING, MOST)
    with pytest.raises(BadExample, match="max_megapixels"):
        decode_pixels(whole, PREPROCESSING, 100)


def test_real_photographs_differ_by_one_level_at_most(real_data: Path) -> None:
    files = sorted((real_data / "hymenoptera/val").rglob("*.jp*g"))[:40]
    assert (
        max(difference(file.read_bytes(), Preprocessing(256, 224, "bilinear", (0,) * 3, (1,) * 3)) for file in files)
        <= 1
    )


SCALED = replace(PREPROCESSING, decoding="scaled")


def blank_jpeg(width: int, height: int) -> bytes:
    return encoded(Image.new("RGB", (width, height)), "JPEG")


@given(st.integers(8, 700), st.integers(8, 700), st.integers(8, 70))
def test_scaled_decoding_always_leaves_enough_for_the_resizing(width: int, height: int, resize: int) -> None:
    opened = open_image(blank_jpeg(width, height), MOST)
    by = scaled_by(opened, replace(SCALED, resize=resize))
    assert by in (1, 2, 4, 8)
    assert by == 1 or min(width, height) >= by * LEAST_GAP * resize
    assert by == 8 or min(width, height) < 2 * by * LEAST_GAP * resize
    assert decoded_nbytes(opened, replace(SCALED, resize=resize)) >= 3 * width * height // by**2


@pytest.mark.parametrize(("width", "by"), [(255, 1), (256, 2), (511, 2), (512, 4), (1024, 8), (4000, 8)])
def test_how_much_is_left_out_grows_with_the_image(width: int, by: int) -> None:
    assert scaled_by(open_image(blank_jpeg(width, width), MOST * 2), SCALED) == by


def test_images_that_are_not_much_larger_than_needed_and_other_kinds_are_decoded_whole() -> None:
    for content in (encoded(picture(250, 250), "JPEG"), encoded(picture(600, 600), "PNG")):
        assert torch.equal(decode_pixels(content, SCALED, MOST), decode_pixels(content, PREPROCESSING, MOST))


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}], ids=["baseline", "progressive"])
def test_scaled_decoding_gives_nearly_the_same_picture(mode: str, options: dict[str, object]) -> None:
    content = encoded(picture(600, 450).convert(mode), "JPEG", **options)
    scaled, exact = (decode_pixels(content, one, MOST).float() for one in (SCALED, PREPROCESSING))
    assert 0 < float((scaled - exact).abs().mean()) < 2


@pytest.mark.parametrize("orientation", range(1, 9))
def test_scaled_decoding_turns_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(picture(600, 450), "JPEG", exif=exif)
    scaled, exact = (decode_pixels(content, one, MOST).float() for one in (SCALED, PREPROCESSING))
    assert float((scaled - exact).abs().mean()) < 2


def test_a_truncated_file_is_refused_by_scaled_decoding_too() -> None:
    whole = encoded(picture(600, 450), "JPEG")
    with pytest.raises(BadExample, match="truncated"):
        decode_pixels(whole[: len(whole) // 2], SCALED, MOST)


def test_an_orientation_that_only_xmp_states_is_undone_as_pillow_does() -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    content = encoded(picture(), "JPEG", xmp=xmp)
    assert decode(content, MOST).size == (100, 150)
    assert difference(content) <= 1


def test_what_a_picture_takes_is_counted_where_it_is_largest() -> None:
    def held(image: Image.Image, kind: str) -> int:
        return decoded_nbytes(open_image(encoded(image, kind), MOST), PREPROCESSING)

    assert held(picture(200, 100), "JPEG") == 3 * 200 * 100
    assert held(Image.new("RGB", (1000, 2)), "PNG") == 3 * 64 * 64 * 500, "resized it is larger"
    assert held(Image.new("I;16", (300, 200)), "PNG") == 8 * 300 * 200, "deep greys pass through float64"
