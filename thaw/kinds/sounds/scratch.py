"""Sounds with random changes, for a network that is trained from random weights."""

from dataclasses import dataclass

import torch

from thaw.kinds.batches import Batch
from thaw.kinds.kind import Preprocessing
from thaw.kinds.sounds.variation import varied


@dataclass(frozen=True)
class VariedSounds:
    """A `Scratch` on sounds; preprocessing: of the network."""

    preprocessing: Preprocessing

    def begin(self, batch: Batch) -> Batch:
        """Prepared sounds as they are."""
        return batch

    def changed(self, batch: Batch, generator: torch.Generator) -> Batch:
        """See `varied`; normalised."""
        return self.preprocessing.normalise(varied(batch, generator))

    def plain(self, batch: Batch) -> Batch:
        """Normalised."""
        return self.preprocessing.normalise(batch)
