"""The length that the header of a sound file states, where libsndfile does not tell it: of WAV, RF64, AIFF and FLAC."""

import struct

_DATA = (b"data", b"SSND")
_UNKNOWN = 0x7FFF_0000
"""Sizes from here on are what programs write that do not know the end yet, such as `ffmpeg` into a pipe."""


def missing_bytes(content: bytes) -> int:
    """The number of bytes of samples that the header of a WAV, RF64 or AIFF file promises and the file lacks; 0 for other formats."""
    kind = content[:4]
    if kind in (b"RIFF", b"RF64"):
        order = "<"
    elif kind in (b"RIFX", b"FORM"):
        order = ">"
    else:
        return 0
    wide = 0
    place = 12
    while place + 8 <= len(content):
        name, size = struct.unpack_from(f"{order}4sI", content, place)
        place += 8
        if name == b"ds64" and place + 16 <= len(content):
            wide = struct.unpack_from("<Q", content, place + 8)[0]
        if name in _DATA:
            promised = wide if size == 0xFFFF_FFFF and wide else size
            return 0 if not wide and promised >= _UNKNOWN else max(0, place + promised - len(content))
        place += size + size % 2
    return 0


def states_no_length(content: bytes) -> bool:
    """Whether a FLAC file states no number of samples (RFC 9639, section 8.2), as programs write it into a pipe; libsndfile cannot read it."""
    return content[:4] == b"fLaC" and len(content) >= _STREAMINFO and not _samples_of(content)


_STREAMINFO = 26
"""Bytes up to the number of samples, which has 36 bits."""


def _samples_of(flac: bytes) -> int:
    return int.from_bytes(flac[_STREAMINFO - 5 : _STREAMINFO], "big") & (2**36 - 1)
