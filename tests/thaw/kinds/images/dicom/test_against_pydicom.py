"""Every file that pydicom carries comes out as its own functions give it, step by step, or is refused with its reason."""

from pathlib import Path

import numpy as np
import pytest
from dicom_files import known_files, names_of
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi, apply_windowing

from thaw.foundation.errors import BadExample
from thaw.kinds.images.files import decode, inspect

REFUSED = {
    "ExplVR_BigEndNoMeta.dcm": "without an image (RT Ion Plan Storage)",
    "ExplVR_LitEndNoMeta.dcm": "without an image (RT Ion Plan Storage)",
    "JPEG-lossy.dcm": "truncated or damaged",  # libjpeg refuses the header of its scan
    "JPEG2000-embedded-sequence-delimiter.dcm": "have different sizes",
    "MR_truncated.dcm": "8,130 of 8,192 bytes of its pixels are there",
    "UN_sequence.dcm": "without an image (CT Image Storage)",
    "badVR.dcm": "no number as NumberOfFrames",
    "empty_charset_LEI.dcm": "without an image",
    "meta_missing_tsyntax.dcm": "without an image",
    "nested_priv_SQ.dcm": "without an image",
    "no_meta.dcm": "not an image of a kind that can be read",  # it begins in the middle of an element
    "no_meta_group_length.dcm": "without an image (RT Image Storage)",
    "priv_SQ.dcm": "without an image (MR Image Storage)",
    "reportsi.dcm": "without an image (Basic Text SR Storage)",
    "reportsi_with_empty_number_tags.dcm": "without an image (Basic Text SR Storage)",
    "rtplan.dcm": "without an image (RT Plan Storage)",
    "rtplan_truncated.dcm": "without an image (RT Plan Storage)",
    "rtstruct.dcm": "without an image (RT Structure Set Storage)",
    "test-SR.dcm": "without an image (Comprehensive SR Storage)",
    "waveform_ecg.dcm": "without an image (12-lead ECG Waveform Storage)",
}
MOST = 64_000_000
FILES = known_files()
READ = [path for path in FILES if path.name not in REFUSED]


def flattened(dataset: Dataset) -> Dataset:
    """An enhanced image with what it says of its first frame at the top."""
    for name in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for group in list(dataset.get(name) or ())[:1]:
            for inner in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
                for item in list(group.get(inner) or ())[:1]:
                    dataset.update({element.tag: element for element in item})
    return dataset


def shares_of_white(stored: np.ndarray, dataset: Dataset) -> np.ndarray:
    """A grey image by pydicom's functions; float64, from 0 to 1."""
    values = apply_modality_lut(stored, dataset)
    low = -(2 ** (dataset.BitsStored - 1)) if dataset.PixelRepresentation else 0
    ends = np.array([low, low + 2**dataset.BitsStored - 1])
    low, high = np.sort(apply_modality_lut(ends, dataset))
    if dataset.get("VOILUTSequence"):
        shown = apply_voi(values, dataset) / (2 ** dataset.VOILUTSequence[0].LUTDescriptor[2] - 1)
    elif dataset.get("WindowWidth") is not None:
        shown = (apply_windowing(values, dataset) - low) / (high - low)
    else:
        shown = (values - low) / (high - low)
    return 1 - shown if dataset.PhotometricInterpretation == "MONOCHROME1" else shown


def reference(path: Path) -> np.ndarray:
    """uint8 [H, W, 3]"""
    dataset = flattened(dcmread(path, force=True))
    pixels = dataset.pixel_array
    stored = pixels[0] if int(dataset.get("NumberOfFrames") or 1) > 1 else pixels
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        colours = apply_color_lut(stored, dataset)
        return np.rint(colours / (255 if colours.dtype == np.uint8 else 65535) * 255)
    if dataset.SamplesPerPixel == 3:
        return np.rint(stored / (2**dataset.BitsStored - 1) * 255)
    if (
        dataset.BitsStored > 16
    ):  # doses: the whole range is far too wide, so the usual one for integers of 32 bits is taken
        low, high = float(stored.min()), float(stored.max())
        return np.repeat(np.rint((stored - low) * 255.0 / (high - low))[..., None], 3, axis=2)
    return np.repeat(np.rint(shares_of_white(stored, dataset) * 255)[..., None], 3, axis=2)


@pytest.mark.parametrize("path", READ, ids=names_of(READ))
def test_a_file_is_what_pydicom_s_functions_give(path: Path) -> None:
    content = path.read_bytes()
    decoded = np.asarray(decode(content, MOST)).astype(int)
    gap = np.abs(decoded - reference(path))
    # JPEG is decoded here by one plugin always, and by pydicom with the first that it finds: they round differently.
    assert gap.max() <= (1 if "jpeg" in path.name.lower() or "_+eb" in path.name or "ybr_color" in path.name else 0)
    stored = inspect(content, MOST)
    assert stored.format == "DICOM"
    assert stored.shape[:2] == decoded.shape[:2]


@pytest.mark.parametrize("path", found := [path for path in FILES if path.name in REFUSED], ids=names_of(found))
def test_a_file_without_a_whole_image_is_refused_with_its_reason(path: Path) -> None:
    with pytest.raises(BadExample) as refused:
        decode(path.read_bytes(), MOST)
    assert REFUSED[path.name] in str(refused.value)
