"""Texts without some of their words, for a network that is trained from random weights."""

from dataclasses import dataclass

import torch

from thaw.kinds.batches import Batch
from thaw.kinds.texts.padded import hidden

HIDDEN = 0.1
"""The share of words that an augmentation hides."""


@dataclass(frozen=True)
class HiddenWords:
    """A `Scratch` on texts."""

    def begin(self, batch: Batch) -> Batch:
        """Prepared texts as they are."""
        return batch

    def changed(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Without a tenth of the words."""
        return hidden(batch, HIDDEN, generator)

    def plain(self, batch: Batch) -> Batch:
        """Prepared texts as they are."""
        return batch
