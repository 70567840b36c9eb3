"""Greys of more than 8 bits are scaled by the range of their set, never by that of one image."""

import io
import json
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from thaw.kinds.images.files import decode, inspect
from thaw.kinds.images.greys import Greys, greys_from
from thaw.kinds.images.kind import KIND
from thaw.kinds.images.preprocessing import Preprocessing, preprocessing_from_json
from thaw.kinds.kind import Limits, SetDecoding

MOST = 10**6
PLAIN = Preprocessing((8, 8), None, "bilinear", (0.5,) * 3, (0.5,) * 3)


def stored(values: object, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(values)).save(buffer, kind)
    return buffer.getvalue()


def sixteen(*values: int, kind: str = "PNG") -> bytes:
    return stored(np.array([values], np.uint16), kind)


def decoding(*contents: bytes) -> SetDecoding:
    return KIND.decoding_of_set({f"{number}.png": inspect(content, MOST) for number, content in enumerate(contents)})


def greys_of(*contents: bytes) -> Greys:
    return greys_from(decoding(*contents).setting)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize(
    ("highest", "top"), [(255, 255), (1000, 1023), (1023, 1023), (1024, 4095), (4095, 4095), (9000, 16383)]
)
def test_the_depth_of_a_set_in_files_of_16_bits(highest: int, top: int, kind: str) -> None:
    dark, bright = sixteen(0, highest // 3, kind=kind), sixteen(0, highest, kind=kind)
    found = decoding(dark, bright)
    assert greys_from(found.setting) == Greys(top)
    assert f"from 0 to {top:,}" in found.notes[0]
    assert "New images are read with the same range" in found.notes[0]
    pixels = np.asarray(decode(bright, MOST, greys_from(found.setting)))
    assert pixels.max() == round(highest * 255 / top)
    # The dark image stays dark beside the bright one, although its own values would fit a smaller depth.
    assert np.asarray(decode(dark, MOST, greys_from(found.setting))).max() == round(highest // 3 * 255 / top)


def test_a_pgm_of_16_bits_with_values_of_12() -> None:
    ramp = np.array([[0, 2000, 4095]], ">u2")
    content = b"P5\n3 1\n65535\n" + ramp.tobytes()
    assert np.asarray(decode(content, MOST, greys_of(content)))[0, :, 0].tolist() == [0, 125, 255]


@pytest.mark.parametrize(
    "contents",
    [
        (stored(np.zeros((2, 2), np.uint8)),),
        (stored(np.zeros((2, 2, 3), np.uint8), "JPEG"),),
        (sixteen(0, 65535),),
        (sixteen(0, 4095), sixteen(0, 16384)),
    ],
    ids=["grey", "photograph", "16 bits", "one of 16 bits"],
)
def test_sets_of_8_bits_and_of_true_16_bits_need_no_setting(contents: tuple[bytes, ...]) -> None:
    assert decoding(*contents) == SetDecoding()
    assert PLAIN.of_set(None).to_json() == PLAIN.to_json()
    assert "greys" not in PLAIN.to_json()


def test_values_beyond_the_range_come_out_white() -> None:
    assert np.asarray(decode(sixteen(0, 4095, 60000), MOST, Greys(4095)))[0, :, 0].tolist() == [0, 255, 255]


@pytest.mark.parametrize(
    ("values", "span"),
    [
        (([0.0, 0.2], [0.0, 0.9]), (0.0, 1.0)),
        (([0.0, 0.9], [0.0, 200.0]), (0.0, 255.0)),
        (([0.0, 90.0], [0.0, 3000.0]), (0.0, 4095.0)),
        (([-1000.0, 90.0], [-20.0, 3000.0]), (-1000.0, 3000.0)),
    ],
)
def test_floats_have_the_range_of_their_set(values: tuple[list[float], list[float]], span: tuple[float, float]) -> None:
    contents = [stored(np.array([each], np.float32), "TIFF") for each in values]
    greys = greys_of(*contents)
    assert greys == Greys(span=span)
    low, high = span
    dark = np.asarray(decode(contents[0], MOST, greys)).max()
    assert dark == round((values[0][1] - low) * 255 / (high - low))


def test_signed_and_32_bit_integers_have_the_range_of_their_set() -> None:
    contents = [stored(np.array([each], np.int32), "TIFF") for each in ([-1024, 0], [0, 3071])]
    assert greys_of(*contents) == Greys(span=(-1024.0, 3071.0))


def test_few_files_that_darken_all_others_are_named() -> None:
    (warning,) = decoding(*[sixteen(0, 4000)] * 19, sixteen(0, 65535)).warnings
    assert warning.startswith(
        "19 of 20 grey images of 16 bits hold values of 12 bits or less, and `19.png` holds 65,535."
    )


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def deep_png(value: int, colour_type: int, channels: int) -> bytes:
    """A PNG file of 2 x 1 pixels with 16 bits a channel, which Pillow does not write."""
    rows = b"\0" + struct.pack(f">{2 * channels}H", *[value] * 2 * channels)
    header = struct.pack(">IIBBBBB", 2, 1, 16, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("colour_type", "channels"), [(2, 3), (4, 2), (6, 4)], ids=["RGB", "grey and alpha", "RGBA"])
def test_colours_of_12_bits_in_16_are_warned_of(colour_type: int, channels: int) -> None:
    (warning,) = decoding(deep_png(4095, colour_type, channels), deep_png(100, colour_type, channels)).warnings
    assert warning.startswith("2 images of 16 bits with colours or transparency hold values of 12 bits or less.")
    assert decoding(deep_png(65535, colour_type, channels)) == SetDecoding()


def test_the_setting_travels_in_the_preprocessing() -> None:
    content = sixteen(0, 4095)
    settled = PLAIN.of_set(decoding(content).setting)
    assert settled.to_json() != PLAIN.to_json()
    assert preprocessing_from_json(settled.to_json()) == settled
    assert json.loads(settled.to_json())["greys"] == {"span": None, "top": 4095}
    spanned = PLAIN.of_set(decoding(stored(np.array([[-1.5, 2.5]], np.float32), "TIFF")).setting)
    assert preprocessing_from_json(spanned.to_json()) == spanned


@pytest.mark.parametrize("small", [True, False])
def test_previews_follow_the_set(small: bool) -> None:
    content = sixteen(0, 4095)
    kind = KIND.of_set(decoding(content).setting)
    shown = kind.preview(content, Limits(), small=small).content
    assert np.asarray(Image.open(io.BytesIO(shown))).max() == 255
    assert np.asarray(Image.open(io.BytesIO(KIND.preview(content, Limits(), small=small).content))).max() == 16
