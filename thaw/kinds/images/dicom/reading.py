"""The data set of a DICOM file: the elements of its image and the patient's number, and no others."""

import io
import re
import zlib
from typing import Any

from thaw.foundation.errors import BadExample
from thaw.kinds.images.dicom.library import pydicom

_MARK_AT, _MARK = 128, b"DICM"
_BARE = re.compile(rb"(?:[\x02\x08]\x00..|\x00[\x02\x08]..)(?:(?:[A-Z]{2})|.{2}\x00\x00)", re.DOTALL)
"""The first element of a file without preamble, of group 0002 or 0008: with the letters of its type, or with a length below 65,536."""
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_UL, _META_START = b"\x02\x00\x00\x00UL\x04\x00", 144
_MOST_HEADER = 2**24
"""Bytes in which the pixels of a deflated file begin."""
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_ELEMENTS = (
    "SOPClassUID",
    "PatientID",
    "StudyDate",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "RescaleIntercept",
    "RescaleSlope",
    "WindowCenter",
    "WindowWidth",
    "VOILUTFunction",
    "VOILUTSequence",
    "ModalityLUTSequence",
    "PixelPresentation",
    *(f"{colour}PaletteColorLookupTableDescriptor" for colour in ("Red", "Green", "Blue")),
    *(
        f"{kind}{colour}PaletteColorLookupTableData"
        for kind in ("", "Segmented")
        for colour in ("Red", "Green", "Blue")
    ),
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
    *PIXELS,
)


def is_dicom(content: bytes) -> bool:
    """Whether bytes are a DICOM file, with or without the preamble of 128 bytes; only their beginning is looked at."""
    return content[_MARK_AT : _MARK_AT + 4] == _MARK or _BARE.match(content) is not None


def read_elements(content: bytes, most_inflated: int, *, pixels: bool) -> Any:
    """The data set of a file, a `pydicom.Dataset` with its transfer syntax in `file_meta`.

    Args:
        content: of the file.
        most_inflated: bytes; a deflated file that becomes larger is refused before it takes the memory.
        pixels: whether the pixels are read, too.

    Raises:
        BadExample: the file is damaged, or the package is not installed. The reason quotes nothing of the file.
    """
    library = pydicom()
    try:
        read = library.dcmread(
            io.BytesIO(_inflated(content, most_inflated) if pixels else _inflated_header(content)),
            force=True,
            specific_tags=list(_ELEMENTS),
            stop_before_pixels=not pixels,
        )
        return _with_syntax(library, read)
    except BadExample:
        raise
    except Exception as error:  # damaged files raise almost anything, and the error's text quotes the file
        raise damaged(error) from None


def damaged(error: BaseException) -> BadExample:
    """The reason for a file that the library fails on."""
    return BadExample(f"is a truncated or damaged DICOM file ({type(error).__name__})")


def _with_syntax(library: Any, read: Any) -> Any:
    """The data set with a transfer syntax; a file without one is not compressed, and its own bytes show the rest."""
    meta = getattr(read, "file_meta", None)
    if meta is None:
        read.file_meta = meta = library.dataset.FileMetaDataset()
    if not meta.get("TransferSyntaxUID"):
        implicit, little = read.original_encoding
        uid = library.uid
        meta.TransferSyntaxUID = (
            uid.ExplicitVRBigEndian
            if little is False
            else uid.ImplicitVRLittleEndian
            if implicit
            else uid.ExplicitVRLittleEndian
        )
    return read


def _inflated(content: bytes, most: int) -> bytes:
    """The data set of a deflated file, without its preamble; other files as they are."""
    start = _deflated_from(content)
    if start is None:
        return content
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = inflater.decompress(content[start:], most)
    if inflater.unconsumed_tail:
        raise BadExample("is a deflated DICOM file with far more in it than an image; it may be a decompression bomb")
    return inflated


def _inflated_header(content: bytes) -> bytes:
    """The beginning of the data set of a deflated file; other files as they are."""
    start = _deflated_from(content)
    return content if start is None else zlib.decompressobj(-zlib.MAX_WBITS).decompress(content[start:], _MOST_HEADER)


def _deflated_from(content: bytes) -> int | None:
    """Where the deflated data set begins; None: the file is not deflated.

    Raises:
        BadExample: it seems to be deflated, but where is not said.
    """
    if content[_MARK_AT : _MARK_AT + 4] != _MARK or _DEFLATED not in content:
        return None
    start = _META_START + int.from_bytes(content[140:144], "little")
    if content[132:140] != _UL or _DEFLATED not in content[_META_START:start]:
        # The library would inflate it without a bound.
        raise BadExample("is a deflated DICOM file with a damaged header")
    return start
