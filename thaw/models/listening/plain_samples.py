"""Plain samples as programs and browsers send them, for a listener: 16 bits, one channel, little-endian, at any rate."""

import numpy as np
import torch

from thaw.kinds.sounds.decoding import Resampler, Wave
from thaw.models.listening.listener import Heard, Listener

BYTES = 2
"""Of a sample."""


class SampleListener:
    """Gives plain samples, `rate` a second, to a listener at the start of its stream."""

    def __init__(self, listener: Listener, rate: int) -> None:
        self._listener = listener
        self._resampler = Resampler(rate, listener.rate)
        self._rate, self._samples = rate, 0

    @property
    def seconds(self) -> float:
        """The length of the sound so far."""
        return self._samples / self._rate

    def feed(self, content: bytes) -> Heard:
        """Hear another block; its length is a multiple of `BYTES`."""
        self._samples += len(content) // BYTES
        return self._hear(self._resampler.feed(wave_of(content)))

    def end(self) -> Heard:
        """Hear the rest."""
        one, other = self._hear(self._resampler.end()), self._listener.end()
        return Heard(torch.cat([one.scores, other.scores]), one.events + other.events)

    def _hear(self, wave: Wave) -> Heard:
        return self._listener.feed(torch.from_numpy(wave))


def wave_of(content: bytes) -> Wave:
    """Samples from -1 to 1, float32 [T]."""
    return np.frombuffer(content, "<i2").astype(np.float32) / np.float32(2**15)
