"""The frame of a file with several: the first, the middle one, or one by number; in the backbone, in previews, and in the program of an export."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pydicom.pixels
import pytest
import torch
from dicom_files import grey_dataset, grey_file, known_files, written
from PIL import Image
from pydicom.dataset import Dataset

from thaw.foundation.errors import BadExample
from thaw.kinds.images.decoding import decode_pixels, decoded_nbytes
from thaw.kinds.images.dicom.file import DicomFile
from thaw.kinds.images.files import decode, inspect, open_image
from thaw.kinds.images.greys import Greys
from thaw.kinds.images.kind import KIND
from thaw.kinds.images.preprocessing import Preprocessing, preprocessing_from_json
from thaw.kinds.images.recipe import CODE
from thaw.kinds.kind import Limits
from thaw.params.sections import BackboneParams
from thaw.params.values.kind import shown_as_read

MOST = 10**6
PLAIN = Preprocessing((8, 8), None, "bilinear", (0.5,) * 3, (0.5,) * 3)
LEVELS = (10, 60, 110, 160)


def dicom(frames: int) -> bytes:
    return grey_file(np.stack([np.full((8, 8), level * 16, np.uint16) for level in LEVELS[:frames]]), 12)


def pillow(frames: int, kind: str) -> bytes:
    images = [Image.new("L", (8, 8), level) for level in LEVELS[:frames]]
    buffer = io.BytesIO()
    images[0].save(buffer, kind, save_all=True, append_images=images[1:])
    return buffer.getvalue()


FORMATS: dict[str, Callable[[int], bytes]] = {
    "DICOM": dicom,
    "TIFF": lambda frames: pillow(frames, "TIFF"),
    "GIF": lambda frames: pillow(frames, "GIF"),
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    ("frame", "frames", "place"),
    [("first", 4, 0), ("middle", 4, 2), ("middle", 3, 1), ("middle", 1, 0), (1, 4, 0), (3, 4, 2), (9, 4, 3)],
)
def test_the_frame_that_is_asked_for_is_read(name: str, frame: str | int, frames: int, place: int) -> None:
    chosen = preprocessing_from_json(PLAIN.with_windows((), frame).to_json())
    pixels = decode_pixels(FORMATS[name](frames), chosen, MOST)
    assert abs(int(pixels.max()) - LEVELS[place]) <= 1 and pixels.min() == pixels.max()
    assert ("frame" in chosen.to_json()) == (frame != "first")


@pytest.mark.parametrize("frame", ["middle", 2, 7])
def test_the_program_of_an_export_reads_the_same_frame(frame: str | int, tmp_path: Path) -> None:
    chosen = PLAIN.with_windows((), frame)
    (tmp_path / "x.tiff").write_bytes(pillow(4, "TIFF"))
    given = {"Image": Image, "np": np, "card": {"preprocessing": json.loads(chosen.to_json()), "input": {"name": "x"}}}
    exec("from PIL import ImageOps\n" + CODE, given)  # noqa: S102  # our own program
    read = given["pixels_of"](tmp_path / "x.tiff")  # type: ignore[operator]
    assert np.array_equal(read, decode_pixels(pillow(4, "TIFF"), chosen, MOST).numpy())


def enhanced() -> Dataset:
    """Two frames of equal stored values with an intercept of their own each (PS3.3, C.7.6.16)."""
    dataset = grey_dataset(np.full((2, 8, 8), 100, np.uint16), 12)
    groups = []
    for intercept in (0, 500):
        group, values = Dataset(), Dataset()
        values.RescaleSlope, values.RescaleIntercept = 1, intercept
        group.PixelValueTransformationSequence = [values]
        groups.append(group)
    dataset.PerFrameFunctionalGroupsSequence = groups
    return dataset


def test_a_frame_has_its_own_rescaling_and_windows() -> None:
    windows = ((510.0, 1020.0),)
    first, second = (
        np.asarray(decode(written(enhanced()), MOST, Greys(windows=windows, frame=place))) for place in (1, 2)
    )
    assert (int(first[0, 0, 0]), int(second[0, 0, 0])) == (25, 150), "100 and 600 of 1020, as 8 bits"


def test_the_last_frame_of_files_from_elsewhere_has_the_values_that_pydicom_gives() -> None:
    compared = 0
    for path in known_files():
        try:
            opened = open_image(path.read_bytes(), MOST)
        except BadExample:
            continue
        if isinstance(opened, DicomFile) and opened.n_frames > 1 and opened.header.is_grey:
            opened.seek(opened.n_frames - 1)
            opened.load()
            assert opened._greys is not None  # the stored values, before any window
            assert np.array_equal(opened._greys[0], pydicom.pixels.pixel_array(path, index=opened.n_frames - 1))
            compared += 1
    assert compared >= 4


def test_later_frames_that_are_cut_or_larger_are_refused_where_they_are_read() -> None:
    cut = dicom(4)[: -8 * 8 * 2]
    assert inspect(cut, MOST).unread == "all frames but one"
    with pytest.raises(BadExample, match="truncated"):
        decode(cut, MOST, Greys(frame=4))
    buffer = io.BytesIO()
    Image.new("L", (8, 8)).save(buffer, "TIFF", save_all=True, append_images=[Image.new("L", (900, 900))])
    with pytest.raises(BadExample, match="larger than its first"):
        decode(buffer.getvalue(), MOST, Greys(frame=2))


def test_previews_show_what_the_backbone_reads() -> None:
    params = BackboneParams(windows=((800.0, 1600.0),), frame="middle")
    shown = shown_as_read(KIND.of_set(json.dumps({"top": 4095, "span": None})), params)
    preview = np.asarray(Image.open(io.BytesIO(shown.preview(dicom(3), Limits(MOST)).content)))
    assert preview.max() == round(LEVELS[1] * 16 / 1600 * 255)
    read = PLAIN.with_windows(params.windows, params.frame)
    assert torch.equal(torch.from_numpy(preview.copy()).permute(2, 0, 1), decode_pixels(dicom(3), read, MOST))


@pytest.mark.parametrize(("kind", "least"), [(np.uint16, 9), (np.uint32, 21)])
def test_values_of_32_bits_count_with_what_their_decoding_takes(kind: type[np.integer], least: int) -> None:
    opened = open_image(grey_file(np.zeros((40, 50), kind)), MOST)
    assert decoded_nbytes(opened, PLAIN) >= least * 2000
