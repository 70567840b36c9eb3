"""The reader of ingested images; it prepares them for the backbone, within a bound on the memory of decoded images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import torch
from PIL import ImageFile

from thaw.foundation.errors import BadExample
from thaw.foundation.parallel.memory_budget import MemoryBound
from thaw.kinds.images.decoding import decode_resized, decoded_nbytes, resized_nbytes, scaled_by
from thaw.kinds.images.files import open_image
from thaw.kinds.images.preprocessing import Preprocessing
from thaw.kinds.kind import IDENTITY, Reference, View
from thaw.kinds.reading import read_ingested

if TYPE_CHECKING:
    from thaw.kinds.images.gpu_reading import GpuPixelSource


@dataclass(frozen=True)
class PixelSource:
    """A `Reader` that decodes on the CPU; it is safe to call from threads, which share the bound."""

    name: ClassVar[str] = "cpu"
    preprocessing: Preprocessing
    max_pixels: int
    bound: MemoryBound

    def read(self, examples: Sequence[Reference], views: Sequence[View] = (IDENTITY,)) -> dict[View, torch.Tensor]:
        """Read, check and decode: uint8 [N, 3, H, W] for each view; an image is decoded once for any number of views.

        Raises:
            BadSource: an image is gone, or has changed since the ingestion.
            BadExample: an image is damaged, or has more than `max_pixels` pixels.
        """
        resized = [self._read(example) for example in examples]
        return {view: torch.stack([self.preprocessing.view(image, view) for image in resized]) for view in views}

    def prepare(self, content: bytes) -> torch.Tensor:
        """Prepare an image from its bytes, like `read`: uint8 [3, H, W].

        Raises:
            BadExample: the bytes are no image, or damaged, or of too many pixels, before or after the resizing.
        """
        opened = open_image(content, self.max_pixels)
        if resized_nbytes(*opened.size, self.preprocessing) > self.bound.nbytes:
            # The shorter side is resized to some hundreds of pixels; the longer side of a thin strip would grow with it.
            raise BadExample(f"has {opened.width} x {opened.height} pixels, and is too long and thin to be resized")
        return self.preprocessing.view(self.resized(opened, content))

    def exact(self) -> PixelSource | None:
        """The reader without scaled decoding; None: this reader decodes exactly."""
        if self.preprocessing.decoding == "exact":
            return None
        return replace(self, preprocessing=self.preprocessing.with_decoding("exact"))

    def shortens(self, example: Reference) -> bool:
        """Whether an image is decoded at a fraction of its size."""
        return scaled_by(open_image(read_ingested(*example), self.max_pixels), self.preprocessing) > 1

    def on(self, device: torch.device) -> GpuPixelSource | None:
        """The reader that decodes on an NVIDIA GPU; None: the device is none."""
        from thaw.kinds.images.gpu_reading import GpuPixelSource

        return GpuPixelSource(self, device) if device.type == "cuda" else None

    def resized(self, opened: ImageFile.ImageFile, content: bytes) -> torch.Tensor:
        """See `decode_resized`; waits until there is room for the decoded image."""
        with self.bound.holding(decoded_nbytes(opened, self.preprocessing)):
            return decode_resized(opened, content, self.preprocessing)

    def _read(self, example: Reference) -> torch.Tensor:
        content = read_ingested(*example)
        return self.resized(open_image(content, self.max_pixels), content)
