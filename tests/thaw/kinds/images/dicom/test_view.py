"""Greys by the standard's formulas, written out here once more in plain Python."""

import io
import math

import numpy as np
import pytest
from dicom_files import grey_dataset, grey_file, written
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom.dataset import Dataset

from thaw.kinds.images.dicom.view import Table, Window, by_value, eight_bits
from thaw.kinds.images.files import decode, inspect
from thaw.kinds.images.greys import Greys

MOST = 10**6
RAMP = np.linspace(0, 4095, 64).round().astype(np.uint16).reshape(8, 8)


def shown(content: bytes, greys: Greys | None = None) -> np.ndarray:
    """uint8 [H, W], of an image whose channels are equal"""
    decoded = np.asarray(decode(content, MOST) if greys is None else decode(content, MOST, greys))
    np.testing.assert_array_equal(decoded[..., 0], decoded[..., 2])
    return decoded[..., 0]


def linear(value: float, centre: float, width: float) -> float:
    """PS3.3, C.11.2.1.2.1"""
    if value <= centre - 0.5 - (width - 1) / 2:
        return 0.0
    if value > centre - 0.5 + (width - 1) / 2:
        return 1.0
    return (value - (centre - 0.5)) / (width - 1) + 0.5


@settings(max_examples=60, deadline=None)
@given(
    st.integers(-3000, 3000),
    st.integers(1, 5000),
    st.lists(st.integers(-8192, 8191), min_size=1, max_size=20),
)
def test_a_window_follows_the_standard(centre: int, width: int, values: list[int]) -> None:
    got = Window(centre, width).shown(np.array(values, float))
    np.testing.assert_allclose(got, [linear(value, centre, width) for value in values], atol=1e-12)


@pytest.mark.parametrize(
    ("curve", "reference"),
    [
        ("LINEAR_EXACT", lambda value: min(1.0, max(0.0, (value - 100) / 300 + 0.5))),
        ("SIGMOID", lambda value: 1 / (1 + math.exp(-4 * (value - 100) / 300))),
    ],
)
def test_the_other_curves(curve: str, reference: object) -> None:
    values = np.arange(-500.0, 700.0, 7)
    assert callable(reference)
    expected = [round(255 * reference(value)) for value in values]
    stored = (values + 500).astype(np.uint16)[None]
    content = grey_file(
        stored, 12, WindowCenter=100, WindowWidth=300, VOILUTFunction=curve, RescaleSlope=1, RescaleIntercept=-500
    )
    np.testing.assert_array_equal(shown(content)[0], expected)


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_without_a_window_the_stored_bits_are_the_range(bits: int) -> None:
    stored = (np.arange(256) * (2**bits - 1) // 255).astype(np.uint16).reshape(16, 16)
    np.testing.assert_array_equal(shown(grey_file(stored, bits)), np.rint(stored / (2**bits - 1) * 255))
    part = stored // 2  # never stretched to its own extremes
    np.testing.assert_array_equal(shown(grey_file(part, bits)), np.rint(part / (2**bits - 1) * 255))


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("form", ["PNG", "TIFF", "DICOM"])
def test_the_depth_survives_until_the_window(form: str, bits: int) -> None:
    stored = np.random.default_rng(bits).integers(0, 2**bits, (40, 30)).astype(np.uint16)
    centre, width = 2**bits / 3, 2**bits / 50  # so narrow that 8 bits would leave some five greys
    if form == "DICOM":
        content = grey_file(stored, bits)
    else:
        buffer = io.BytesIO()
        Image.fromarray(stored).save(buffer, form)
        content = buffer.getvalue()
    expected = np.rint(np.clip((stored.astype(float) - centre) / width + 0.5, 0, 1) * 255)
    assert len(np.unique(expected)) > min(15, 2**bits / 50)
    np.testing.assert_array_equal(shown(content, Greys(windows=((centre, width),))), expected)


def test_three_windows_are_red_green_and_blue() -> None:
    windows = ((500.0, 1000.0), (1500.0, 1000.0), (3000.0, 2000.0))
    decoded = np.asarray(decode(grey_file(RAMP, 12, WindowCenter=1, WindowWidth=2), MOST, Greys(windows=windows)))
    for channel, (centre, width) in enumerate(windows):
        expected = np.rint(np.clip((RAMP - centre) / width + 0.5, 0, 1) * 255)
        np.testing.assert_array_equal(decoded[..., channel], expected)


def test_windows_leave_images_of_8_bits_and_colours_alone() -> None:
    greys = Greys(windows=((40.0, 400.0),))
    eight = RAMP.astype(np.uint8)
    assert np.array_equal(shown(grey_file(eight), greys), eight)
    colours = grey_dataset(
        np.zeros((4, 12), np.uint8) + 90, Columns=4, SamplesPerPixel=3, PhotometricInterpretation="RGB"
    )
    colours.PlanarConfiguration = 0
    assert np.array_equal(shown(written(colours), greys), np.full((4, 4), 90))


def test_monochrome1_is_inverted_after_the_window() -> None:
    header = {"WindowCenter": 1000, "WindowWidth": 600}
    plain = shown(grey_file(RAMP, 12, **header))
    inverted = shown(grey_file(RAMP, 12, PhotometricInterpretation="MONOCHROME1", **header))
    np.testing.assert_array_equal(inverted, 255 - plain)
    assert inverted[0, 0] == 255  # what lies below the window is white


def test_rescaling_comes_before_the_window_and_negative_slopes_turn_the_range() -> None:
    stored = np.array([[0, 1000, 1024, 1064, 1300]], np.uint16)
    content = grey_file(stored, 12, RescaleSlope=1, RescaleIntercept=-1024, WindowCenter=40, WindowWidth=400)
    np.testing.assert_array_equal(shown(content)[0], [round(255 * linear(float(v) - 1024, 40, 400)) for v in stored[0]])
    turned = shown(grey_file(stored, 12, RescaleSlope=-1, RescaleIntercept=0))
    np.testing.assert_array_equal(turned[0], np.rint((4095 - stored[0]) / 4095 * 255))


def test_signed_values_have_a_range_of_their_own() -> None:
    stored = np.array([[-2048, 0, 2047]], np.int16)
    np.testing.assert_array_equal(shown(grey_file(stored, 12))[0], [0, 128, 255])


def lut(entries: list[int], first: int, bits: int) -> Dataset:
    item = Dataset()
    item.LUTDescriptor = [len(entries), first, bits]
    item.LUTData = np.array(entries, "<u2").tobytes()
    return item


def test_tables_of_the_modality_and_of_interest_come_one_after_the_other() -> None:
    dataset = grey_dataset(np.array([[0, 1, 2, 3, 9]], np.uint16), 12)
    dataset.ModalityLUTSequence = [lut([10, 20, 30, 40], 0, 12)]
    dataset.VOILUTSequence = [lut([0, 511, 1023], 10, 10)]
    dataset.WindowCenter, dataset.WindowWidth = 1, 2  # the table goes first
    # 0, 1, 2, 3, 9 -> 10, 20, 30, 40, 40 -> places 0, 10, 20, ... of three entries
    np.testing.assert_array_equal(shown(written(dataset))[0], [0, 255, 255, 255, 255])
    assert Table(5, np.array([1.0, 2.0, 3.0]), 2).looked_up(np.array([-9.0, 5.0, 6.5, 99.0])).tolist() == [1, 1, 2, 3]


def test_a_table_of_8_bits_for_values_of_more() -> None:
    dataset = grey_dataset(np.array([[0, 300, 511, 4000]], np.uint16), 12)
    dataset.VOILUTSequence = [lut(list(np.arange(512) // 2), 0, 8)]
    np.testing.assert_array_equal(shown(written(dataset))[0], [0, 150, 255, 255])


def test_an_enhanced_image_says_it_of_each_frame() -> None:
    dataset = grey_dataset(np.stack([RAMP, RAMP // 2]), 12)
    rescaled, window, group = Dataset(), Dataset(), Dataset()
    rescaled.RescaleSlope, rescaled.RescaleIntercept = 2, -100
    window.WindowCenter, window.WindowWidth = 3000, 1500
    group.PixelValueTransformationSequence, group.FrameVOILUTSequence = [rescaled], [window]
    dataset.PerFrameFunctionalGroupsSequence = [group, Dataset()]
    expected = [[round(255 * linear(2 * float(v) - 100, 3000, 1500)) for v in row] for row in RAMP]
    np.testing.assert_array_equal(shown(written(dataset)), expected)
    assert inspect(written(dataset), MOST).unread == "all frames but one"


@pytest.mark.parametrize("header", [{"WindowCenter": 100, "WindowWidth": 0}, {"WindowCenter": [], "WindowWidth": 9}])
def test_a_window_that_shows_nothing_is_none(header: dict[str, object]) -> None:
    np.testing.assert_array_equal(shown(grey_file(RAMP, 12, **header)), np.rint(RAMP / 4095 * 255))


def test_the_first_of_several_windows_is_shown() -> None:
    several = grey_file(RAMP, 12, WindowCenter=[900, 40], WindowWidth=[1000, 400])
    np.testing.assert_array_equal(shown(several), shown(grey_file(RAMP, 12, WindowCenter=900, WindowWidth=1000)))


def test_unused_bits_do_not_count() -> None:
    overlaid = RAMP | 0x8000  # an overlay in the highest bit, as old files have it
    np.testing.assert_array_equal(shown(grey_file(overlaid, 12)), np.rint(RAMP / 4095 * 255))


def test_floats_are_read_by_the_range_of_the_set_or_by_a_window() -> None:
    values = np.linspace(0, 80, 64, dtype=np.float32).reshape(8, 8)
    dataset = grey_dataset(values.view(np.uint32), 32)
    del dataset.PixelData
    dataset.FloatPixelData = values.tobytes()
    content = written(dataset)
    stored = inspect(content, MOST)
    assert stored.values is not None
    assert (stored.values.low, stored.values.high) == (0.0, 80.0)
    np.testing.assert_array_equal(shown(content, Greys(span=(0.0, 100.0))), np.rint(values / 100 * 255))
    window = Greys(windows=((40.0, 20.0),))
    np.testing.assert_array_equal(
        shown(content, window), np.rint(np.clip((values.astype(float) - 40) / 20 + 0.5, 0, 1) * 255)
    )


def test_a_function_is_computed_by_value_or_by_block() -> None:
    noise = np.random.default_rng(0)
    for dtype in (np.uint8, np.int8, np.uint16, np.int16, np.int32, np.float32):
        stored = (noise.random((300, 7)) * 100).astype(dtype)
        got = by_value(stored, lambda values: eight_bits(values.astype(float) / 255))
        np.testing.assert_array_equal(got, eight_bits(stored.astype(float) / 255))
