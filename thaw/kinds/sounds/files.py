"""Sound files: from their bytes to blocks of samples, or to the reason why there is none; a file's ending does not matter.

They are read by libsndfile, in blocks, so that memory does not grow with the length of a sound.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thaw.foundation.errors import BadExample
from thaw.foundation.files.content import HEAD_BYTES, misplaced
from thaw.kinds.kind import Limits, Stored
from thaw.kinds.sounds.lengths import missing_bytes, states_no_length
from thaw.kinds.sounds.libraries import soundfile

Samples = NDArray[np.float32]

FORMATS = ("WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "NIST", "FLAC", "OGG", "MP3")
"""The formats that are read, by libsndfile's names; it also reads files of MATLAB and of instruments, which are no sounds here."""
_ENDINGS = {
    "WAV": (".wav", ".wave"),
    "WAVEX": (".wav", ".wave"),
    "RF64": (".wav", ".rf64"),
    "W64": (".w64",),
    "AIFF": (".aif", ".aiff", ".aifc"),
    "AU": (".au", ".snd"),
    "CAF": (".caf",),
    "NIST": (".wav", ".sph", ".nist"),
    "FLAC": (".flac",),
    "OGG": (".ogg", ".oga", ".opus"),
    "MP3": (".mp3",),
}
_BLOCK = 2**18
"""Values of all channels in a block."""
_BYTES_A_SECOND = 8 * 4 * 192_000
"""Of 8 channels at 192 kHz in 32 bits."""
_OVERHEAD = 16 * 2**20
"""Bytes of tags."""
_SLOWEST, _FASTEST = 1_000, 768_000
"""Samples a second; outside lies no sound that people record."""
_LOUDEST = 8.0
"""The largest value of floating-point samples, which go from -1 to 1, with room for peaks."""
_SILENT = 3 / 2**15
"""The largest distance between the values of silence: the last of 16 bits, up and down, which programs fill with noise."""
_QUIET = 0.01
"""The peak, -40 dB, below which a sound is very quiet."""
_FULL = 32_766 / 2**15
"""Values from here on are as large as 16 bits allow."""
_CLIPPED = 1e-3
"""The share of values at full scale from which on a sound is clipped."""
CLIPPED, QUIET = "clipped", "very quiet"


class Level:
    """What the values of a sound are like, gathered block by block."""

    def __init__(self) -> None:
        self._low, self._high = np.inf, -np.inf
        """Of the mean of the channels."""
        self._full, self._count = 0, 0
        """The number of values at full scale, and of all values."""

    def add(self, block: Samples) -> None:
        """Another block, float32 [n, channels]."""
        mono = block.mean(1)
        self._low, self._high = min(self._low, float(mono.min())), max(self._high, float(mono.max()))
        self._full += int((np.abs(block) >= _FULL).sum())
        self._count += block.size

    def refuse_silence(self) -> None:
        """Raises BadExample: the sound is silent."""
        if self._high - self._low <= _SILENT:
            raise BadExample("is silent")

    @property
    def remarks(self) -> tuple[str, ...]:
        """`CLIPPED` and `QUIET`, as they apply."""
        found = {CLIPPED: self._full > _CLIPPED * self._count, QUIET: max(-self._low, self._high) < _QUIET}
        return tuple(name for name, applies in found.items() if applies)


def inspect(content: bytes, limits: Limits) -> Stored:
    """Decode a whole sound, and return its format ("FLAC"), its shape (samples, channels), its rate, and what is remarkable in it.

    Raises:
        BadExample: see `opened` and `blocks`; or the sound is silent.
    """
    with opened(content, limits) as sound:
        level, samples = Level(), 0
        for block in blocks(sound):
            level.add(block)
            samples += len(block)
        level.refuse_silence()
        return Stored(
            "WAV" if sound.format == "WAVEX" else str(sound.format),
            (samples, sound.channels),
            rate=sound.samplerate,
            remarks=level.remarks,
        )


def refuse_size(nbytes: int, limits: Limits) -> None:
    """Refuse a file by its size alone, before it is read.

    Raises:
        BadExample: no sound within the limits has that many bytes.
    """
    if nbytes > limits.max_seconds * _BYTES_A_SECOND + _OVERHEAD:
        raise BadExample(
            f"has {nbytes / 1e9:.1f} GB, more than any sound of the {limits.max_seconds:g} seconds that `dataset.max_seconds` allows"
        )


def fits_ending(stored: str, suffix: str) -> bool:
    """Whether a file's ending, such as `.wav`, fits the stored format."""
    return suffix.lower() in _ENDINGS.get(stored, ())


@contextmanager
def opened(content: bytes, limits: Limits) -> Iterator[Any]:
    """The sound of a file, of the type `soundfile.SoundFile`; only the header is read.

    Raises:
        BadExample: the bytes are no sound, the file is shorter than its header says, or the sound is empty or longer than the limits; also for what libsndfile
            finds damaged while the context is open.
    """
    if not content:
        raise BadExample("is empty")
    library = soundfile()
    try:
        with library.SoundFile(io.BytesIO(content)) as sound:
            _check(sound, content, limits)
            yield sound
    except library.LibsndfileError as error:
        raise BadExample(_what_else(content) or f"is truncated or damaged{words_of(error)}") from error


def blocks(sound: Any) -> Iterator[Samples]:
    """The samples from the present place to the end, float32 [n, channels] from -1 to 1, at most `_BLOCK` values at once.

    Raises:
        BadExample: there are fewer than the header says, or values that are not finite or far out of range.
    """
    begin, read = sound.tell(), 0
    while len(block := sound.read(max(1, _BLOCK // sound.channels), dtype="float32", always_2d=True)):
        if not np.isfinite(block).all():
            raise BadExample("holds values that are no numbers (NaN or infinite)")
        if (largest := float(np.abs(block).max())) > _LOUDEST:
            raise BadExample(f"holds values up to {largest:,.0f}, and samples go from -1 to 1; scale them")
        read += len(block)
        yield block
    if begin + read < sound.frames:
        raise BadExample(f"is cut off: {begin + read:,} of {sound.frames:,} samples are there")


def _check(sound: Any, content: bytes, limits: Limits) -> None:
    if sound.format not in FORMATS:
        raise BadExample(f"is a file of the format {sound.format}, which is not read")
    if states_no_length(content):
        raise BadExample("does not state its length, as FLAC that is written into a pipe" + _CONVERT)
    if missing := missing_bytes(content):
        raise BadExample(f"is cut off: {missing:,} bytes of the samples that its header names are missing")
    if sound.frames <= 0:
        raise BadExample("has no samples")
    if not _SLOWEST <= sound.samplerate <= _FASTEST:
        raise BadExample(f"has a rate of {sound.samplerate:,} samples a second")
    seconds = sound.frames / sound.samplerate
    if seconds > limits.max_seconds:
        raise BadExample(
            f"is {seconds:,.1f} seconds long, and `dataset.max_seconds` allows {limits.max_seconds:g}; "
            "cut it, or name its parts in a listing with the columns start_s and end_s"
        )


_SOUNDS = (
    (0, b"RIFF"),
    (0, b"fLaC"),
    (0, b"OggS"),
    (0, b"FORM"),
    (0, b"ID3"),
    (0, b"RF64"),
    (0, b".snd"),
    (0, b"caff"),
)
"""The first bytes of formats that are read."""
_OTHERS = (
    (4, b"ftyp", "is an MP4 or M4A file, mostly with AAC, which libsndfile does not read"),
    (0, b"\x1a\x45\xdf\xa3", "is a WebM or Matroska file, as browsers record them, which libsndfile does not read"),
    (0, b"\xff\xf1", "is an AAC file, which libsndfile does not read"),
    (0, b"\xff\xf9", "is an AAC file, which libsndfile does not read"),
    (0, b"\x30\x26\xb2\x75", "is a WMA file, which libsndfile does not read"),
    (0, b"#!AMR", "is an AMR file, which libsndfile does not read"),
    (0, b"wvpk", "is a WavPack file, which libsndfile does not read"),
    (0, b"MAC ", "is a file of Monkey's Audio, which libsndfile does not read"),
)
_CONVERT = "; convert it, such as by `ffmpeg -i FILE FILE.flac`"


def _what_else(content: bytes) -> str | None:
    """The reason for refusing bytes that libsndfile does not open; None: they begin as a sound that it reads."""
    for place, start, reason in _OTHERS:
        if content[place:].startswith(start):
            return f"{reason}{_CONVERT}"
    if content.startswith(b"MThd"):
        return "is a MIDI file, which holds notes and no sound"
    if any(content[place:].startswith(start) for place, start in _SOUNDS) or content[:2] in (b"\xff\xfb", b"\xff\xf3"):
        return None
    return misplaced(content[:HEAD_BYTES]) or "is no sound, or of a format that libsndfile does not read"


def words_of(error: Any) -> str:
    """libsndfile's own words in brackets, after a space; "" where they are of no use, as for a file that it cannot open."""
    said = str(error.error_string).removeprefix("Error : ").strip().rstrip(".")
    return "" if not said or "does not exist" in said else f" ({said[:1].lower()}{said[1:]})"
