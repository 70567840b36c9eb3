"""DICOM files, made up and from elsewhere."""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

PACKAGED = Path(pydicom.__file__).parent / "data" / "test_files"


def known_files() -> list[Path]:
    """The files that pydicom's own package carries, and those of the folder of real data, if there is one."""
    folders = [
        PACKAGED,
        *([Path(os.environ["THAW_REAL_DATA"]) / "radiology/dicom"] if "THAW_REAL_DATA" in os.environ else []),
    ]
    return [path for folder in folders for path in sorted(folder.glob("*.dcm"))]


def names_of(paths: list[Path]) -> list[str]:
    """Names for parametrised tests."""
    return [f"{path.parent.name}/{path.name}" for path in paths]


def grey_dataset(stored: np.ndarray, bits: int | None = None, **header: Any) -> Dataset:
    """A data set of integers [H, W] or [frames, H, W]."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    dataset.Rows, dataset.Columns = stored.shape[-2:]
    if stored.ndim == 3:
        dataset.NumberOfFrames = len(stored)
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = 8 * stored.dtype.itemsize
    dataset.BitsStored = bits or dataset.BitsAllocated
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(stored.dtype.kind == "i")
    dataset.PixelData = stored.tobytes()
    for keyword, value in header.items():
        setattr(dataset, keyword, value)
    return dataset


def written(dataset: Dataset, **options: Any) -> bytes:
    """A data set as a file; options: of pydicom's `dcmwrite`."""
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, **(options or {"enforce_file_format": True}))
    return buffer.getvalue()


def grey_file(stored: np.ndarray, bits: int | None = None, **header: Any) -> bytes:
    """See `grey_dataset`."""
    return written(grey_dataset(stored, bits, **header))


def damaged_copies(content: bytes, seed: int, flips: int) -> Iterator[bytes]:
    """The file, cut at every kilobyte, and with one to sixteen bytes changed at random."""
    yield from (content[:end] for end in range(0, len(content), 1024))
    noise = np.random.default_rng(seed)
    for _ in range(flips):
        changed = bytearray(content)
        # Half of the changes hit the header, which is a small part of most files.
        reach = len(content) if noise.random() < 0.5 else min(len(content), 2048)
        for place in noise.integers(0, reach, noise.integers(1, 17)):
            changed[place] = noise.integers(0, 256)
        yield bytes(changed)
