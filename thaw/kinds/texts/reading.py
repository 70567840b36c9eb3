"""The reader of texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor

from thaw.kinds.batches import Batch, stacked
from thaw.kinds.kind import Limits, Reference, View
from thaw.kinds.reading import read_ingested
from thaw.kinds.texts.files import refuse_size, text_in


@runtime_checkable
class Preparing(Protocol):
    """A preprocessing of texts."""

    def prepare(self, content: bytes) -> dict[str, Tensor]:
        """A text of UTF-8 bytes, prepared."""


@dataclass(frozen=True)
class TextReader:
    """A `Reader` of texts."""

    name: ClassVar[str] = "utf-8"
    preprocessing: Preparing
    limits: Limits

    def read(self, examples: Sequence[Reference], views: Sequence[View]) -> dict[View, Batch]:
        """See `Reader`; every view is the text itself."""
        batch = stacked([self.prepare(read_ingested(*example)) for example in examples])
        return dict.fromkeys(views, batch)

    def prepare(self, content: bytes) -> Batch:
        """See `Reader`."""
        refuse_size(len(content), self.limits)
        text_in(content, self.limits)
        return self.preprocessing.prepare(content)

    def exact(self) -> None:
        """Texts are always read exactly."""
        return

    def shortens(self, example: Reference) -> bool:
        """No text is."""
        return False

    def on(self, device: torch.device) -> None:
        """Texts are read on the CPU alone."""
        return
