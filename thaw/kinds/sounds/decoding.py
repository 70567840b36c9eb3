"""Decoding, from a sound file's bytes to one channel at a network's rate: block by block, so that memory holds the result and little more."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thaw.kinds.kind import Limits
from thaw.kinds.sounds.files import Level, blocks, opened
from thaw.kinds.sounds.libraries import soxr

Wave = NDArray[np.float32]
QUALITY = "HQ"
"""soxr's quality: 20 bits, and a passband up to 91% of the lower rate's half."""


def decoded(content: bytes, rate: int, limits: Limits) -> Wave:
    """A sound as the mean of its channels at a rate, in samples a second: float32 [T] from -1 to 1. Safe to call from threads.

    Raises:
        BadExample: see `thaw.kinds.sounds.files.inspect`.
    """
    with opened(content, limits) as sound:
        return wave_of(sound, rate)


def wave_of(sound: Any, rate: int) -> Wave:
    """The samples of an opened sound; see `decoded`."""
    level, end = Level(), 0
    wave = np.empty(samples_at(sound, rate), np.float32)
    for piece in resampled(_mono(sound, level), sound.samplerate, rate):
        wave[end : end + len(piece)] = piece
        end += len(piece)
    level.refuse_silence()
    return wave[:end]


def samples_at(sound: Any, rate: int) -> int:
    """The most samples that an opened sound has at a rate; the resampling rounds their number."""
    return int(sound.frames * rate // sound.samplerate + 2)


def resampled(pieces: Iterable[Wave], given: float, rate: float) -> Iterator[Wave]:
    """The pieces of a wave of the rate `given` at another rate, by soxr; the same values however the wave is cut into pieces."""
    stream = Resampler(given, rate)
    for piece in pieces:
        yield stream.feed(piece)
    yield stream.end()


class Resampler:
    """A wave of the rate `given` at another rate, piece by piece as it comes; see `resampled`."""

    def __init__(self, given: float, rate: float) -> None:
        self._stream = (
            None if given == rate else soxr().ResampleStream(given, rate, 1, dtype="float32", quality=QUALITY)
        )

    def feed(self, piece: Wave) -> Wave:
        """What can be said so far of the samples, float32 [T]."""
        return piece if self._stream is None else self._stream.resample_chunk(piece)

    def end(self) -> Wave:
        """The rest."""
        rest = np.empty(0, np.float32)
        return rest if self._stream is None else self._stream.resample_chunk(rest, last=True)


def _mono(sound: Any, level: Level) -> Iterator[Wave]:
    for block in blocks(sound):
        level.add(block)
        yield block.mean(1)
