"""The size that a compressed image itself states: JPEG, JPEG-LS and JPEG 2000, without decoding it.

A decoder takes memory for that size, whatever the DICOM header says.
"""

from dataclasses import dataclass

_SKIPPED = frozenset({0x01, *range(0xD0, 0xDA)})
"""Markers of JPEG without a length behind them."""
_NO_FRAME = frozenset({0xC4, 0xC8, 0xCC})
"""Markers among those of frames that are none: tables, and a reserved one."""
_JPEG_LS_FRAME = 0xF7
_SIZ = b"\xff\x4f\xff\x51"
_WRAPPING = 4096
"""Bytes in which the codestream of a JP2 file begins."""


@dataclass(frozen=True)
class Size:
    """samples: of a pixel."""

    width: int
    height: int
    samples: int


def size_of(codestream: bytes) -> Size | None:
    """The size of an image; None: it is damaged, or of another form."""
    return _of_jpeg(codestream) if codestream[:2] == b"\xff\xd8" else _of_jpeg_2000(codestream)


def _of_jpeg(codestream: bytes) -> Size | None:
    """By the header of the frame (ITU-T T.81, B.2.2)."""
    place = 2
    while place + 10 <= len(codestream) and codestream[place] == 0xFF:
        marker = codestream[place + 1]
        if marker == 0xFF:
            place += 1
            continue
        if marker in _SKIPPED:
            place += 2
            continue
        if (0xC0 <= marker <= 0xCF and marker not in _NO_FRAME) or marker == _JPEG_LS_FRAME:
            height, width = (int.from_bytes(codestream[place + at : place + at + 2]) for at in (5, 7))
            return Size(width, height, codestream[place + 9])
        place += 2 + max(2, int.from_bytes(codestream[place + 2 : place + 4]))
    return None


def _of_jpeg_2000(codestream: bytes) -> Size | None:
    """By the marker SIZ (ITU-T T.800, A.5.1)."""
    start = codestream.find(_SIZ, 0, _WRAPPING)
    header = codestream[start + 4 : start + 42]
    if start < 0 or len(header) < 38:
        return None
    right, bottom, left, top = (int.from_bytes(header[at : at + 4]) for at in (4, 8, 12, 16))
    return Size(right - left, bottom - top, int.from_bytes(header[36:38]))
