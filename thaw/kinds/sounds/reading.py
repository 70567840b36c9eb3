"""The reader of sounds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from thaw.foundation.parallel.memory_budget import MemoryBound
from thaw.kinds.batches import Batch, stacked
from thaw.kinds.kind import IDENTITY, Limits, Reference, View
from thaw.kinds.reading import read_ingested
from thaw.kinds.sounds.decoding import Wave, samples_at, wave_of
from thaw.kinds.sounds.files import opened
from thaw.kinds.sounds.framed import framed
from thaw.kinds.sounds.variation import viewed_wave

_SAMPLE = 4
"""Bytes of a sample."""


@dataclass(frozen=True)
class SoundReader:
    """A `Reader` of sounds. rate: samples a second, of the network."""

    name: ClassVar[str] = "libsndfile"
    rate: int
    limits: Limits
    bound: MemoryBound

    def read(self, examples: Sequence[Reference], views: Sequence[View] = (IDENTITY,)) -> dict[View, Batch]:
        """See `Reader`; a sound is decoded once for any number of views."""
        waves = [self._decoded(read_ingested(*example)) for example in examples]
        return {
            view: stacked([framed(torch.from_numpy(viewed_wave(wave, self.rate, view)), self.rate) for wave in waves])
            for view in views
        }

    def prepare(self, content: bytes) -> Batch:
        """See `Reader`."""
        return framed(torch.from_numpy(self._decoded(content)), self.rate)

    def exact(self) -> None:
        """Sounds are always read exactly."""
        return

    def shortens(self, example: Reference) -> bool:
        """No sound is."""
        return False

    def on(self, device: torch.device) -> None:
        """Sounds are read on the CPU alone."""
        return

    def _decoded(self, content: bytes) -> Wave:
        with (
            opened(content, self.limits) as sound,
            self.bound.holding(_SAMPLE * samples_at(sound, self.rate)),
        ):
            return wave_of(sound, self.rate)
