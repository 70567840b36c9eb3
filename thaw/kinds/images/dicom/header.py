"""What the header of a DICOM file says of its image, before a pixel is decoded."""

import re
from dataclasses import dataclass, field
from typing import Any

from thaw.foundation.errors import BadExample
from thaw.kinds.images.dicom.library import pydicom

INVERTED, GREY, PALETTE = "MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"
_COLOURS = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
_DAY = re.compile(r"[0-9]{8}")
_NAMES = {
    "Rows": "Rows",
    "Columns": "Columns",
    "BitsAllocated": "Bits Allocated",
    "PhotometricInterpretation": "Photometric Interpretation",
}


@dataclass(frozen=True)
class Header:
    """frames: 1 or more. samples: of a pixel, 1 or 3. bits: stored of a sample. colouring: the photometric interpretation. patient: the patient's number, which
    is personal and must not be written anywhere, as study_date is, of the form 20261130; None: there is none.
    allocated: bits of a sample in the file, with those that are not used."""

    width: int
    height: int
    frames: int
    samples: int
    bits: int
    signed: bool
    colouring: str
    patient: str | None = field(repr=False)
    study_date: str | None = field(default=None, repr=False)
    allocated: int = 16

    @property
    def is_grey(self) -> bool:
        """Whether the stored values are greys."""
        return self.colouring in (INVERTED, GREY)


def header_of(dataset: Any) -> Header:
    """The header of a data set.

    Raises:
        BadExample: there is no image, or one that cannot be read.
    """
    if dataset.get("Rows") is None and dataset.get("Columns") is None:
        raise BadExample(f"is a DICOM file without an image{_class_of(dataset)}")
    if lacking := [name for keyword, name in _NAMES.items() if dataset.get(keyword) in (None, "")]:
        raise BadExample(f"is a DICOM file whose header lacks {' and '.join(lacking)}")
    colouring = str(dataset.PhotometricInterpretation).strip().upper()
    samples = _whole(dataset, "SamplesPerPixel", 1 if colouring in (INVERTED, GREY, PALETTE) else 3)
    allocated = _whole(dataset, "BitsAllocated", 0)
    header = Header(
        _whole(dataset, "Columns", 0),
        _whole(dataset, "Rows", 0),
        max(1, _whole(dataset, "NumberOfFrames", 1)),
        samples,
        _whole(dataset, "BitsStored", allocated),
        _whole(dataset, "PixelRepresentation", 0) == 1,
        colouring,
        _stated(dataset, "PatientID"),
        _date(dataset),
        allocated,
    )
    _refuse_unreadable(header, allocated)
    return header


def _refuse_unreadable(header: Header, allocated: int) -> None:
    if header.width < 1 or header.height < 1:
        raise BadExample("has no pixels")
    if header.is_grey or header.colouring == PALETTE:
        samples = 1
    elif header.colouring in _COLOURS:
        samples = 3
    else:
        raise BadExample("is a DICOM file with colours of a form that is not read; save it as RGB")
    if header.samples != samples:
        raise BadExample(
            f"is a DICOM file with {header.samples} samples a pixel, which does not fit {header.colouring}"
        )
    if not 1 <= header.bits <= allocated <= 64 or (allocated != 1 and allocated % 8):
        raise BadExample(f"is a DICOM file with {header.bits} of {allocated} bits a sample, which cannot be")


def _class_of(dataset: Any) -> str:
    """The kind of a file in brackets; only names of the standard, because other text may name a person."""
    meta = getattr(dataset, "file_meta", {})
    stated = dataset.get("SOPClassUID") or meta.get("MediaStorageSOPClassUID")
    known = pydicom().uid.UID_dictionary.get(str(stated))
    return f" ({known[0]})" if known else ""


def _stated(dataset: Any, keyword: str) -> str | None:
    try:
        return str(dataset.get(keyword) or "").strip() or None
    except Exception:  # text of a damaged file or of an unknown character set
        return None


def _date(dataset: Any) -> str | None:
    """The day of the study; older files have points in it (PS3.5, 6.2, DA)."""
    stated = (_stated(dataset, "StudyDate") or "").replace(".", "")
    return stated if _DAY.fullmatch(stated) else None


def _whole(dataset: Any, keyword: str, usual: int) -> int:
    try:
        value = dataset.get(keyword)
        return usual if value is None or value == "" else int(value)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise BadExample(f"is a DICOM file whose header has no number as {keyword}") from error
