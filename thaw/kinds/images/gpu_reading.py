"""Decoding and resizing of JPEG files on a GPU, a batch at a time (nvJPEG, by torchvision); other files are decoded as on the CPU."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from PIL import ImageFile
from torchvision.io import ImageReadMode, decode_jpeg

from thaw.kinds.images.decoding import decoded_nbytes, is_plain_jpeg, scaled_by
from thaw.kinds.images.files import open_image, orientation_of
from thaw.kinds.images.reading import PixelSource
from thaw.kinds.kind import IDENTITY, Reference, View
from thaw.kinds.reading import read_ingested


@dataclass(frozen=True)
class GpuPixelSource:
    """A `Reader` like `plain`, on `device`, with the GPU's decoder for files that suit it; safe to call from threads.

    A GPU's decoder rounds and interpolates colour differently from the CPU's, so its pixels differ; features are compared before it is used.
    """

    name: ClassVar[str] = "gpu"
    plain: PixelSource
    device: torch.device

    def read(self, examples: Sequence[Reference], views: Sequence[View] = (IDENTITY,)) -> dict[View, torch.Tensor]:
        """See `PixelSource.read`."""
        contents = [read_ingested(*example) for example in examples]
        opened = [open_image(content, self.plain.max_pixels) for content in contents]
        suited = [number for number, image in enumerate(opened) if self._suits(image)]
        needed = sum(decoded_nbytes(opened[number], self.plain.preprocessing) for number in suited)
        with self.plain.bound.holding(needed):
            decoded = _decode_together([contents[number] for number in suited], self.device)
            resized = {
                number: self.plain.preprocessing.resized_tensor(image)
                for number, image in zip(suited, decoded, strict=True)
                if image is not None
            }
        for number in set(range(len(examples))) - resized.keys():
            resized[number] = self.plain.resized(opened[number], contents[number]).to(self.device)
        in_order = [resized[number] for number in range(len(examples))]
        return {view: torch.stack([self.plain.preprocessing.view(image, view) for image in in_order]) for view in views}

    def prepare(self, content: bytes) -> torch.Tensor:
        """See `PixelSource.prepare`; a single image is decoded on the CPU."""
        return self.plain.prepare(content)

    def exact(self) -> PixelSource | None:
        """See `PixelSource.exact`."""
        return self.plain.exact()

    def shortens(self, example: Reference) -> bool:
        """See `PixelSource.shortens`."""
        return self.plain.shortens(example)

    def on(self, device: torch.device) -> None:
        """None: there is no other device."""

    def _suits(self, opened: ImageFile.ImageFile) -> bool:
        """Whether a file suits the GPU's decoder: upright colour JPEG that is decoded whole."""
        upright = is_plain_jpeg(opened) and opened.mode == "RGB" and orientation_of(opened) == 1
        return upright and scaled_by(opened, self.plain.preprocessing) == 1


def _decode_together(contents: Sequence[bytes], device: torch.device) -> list[torch.Tensor | None]:
    """uint8 [3, H, W] each, on the device; None for a file that the decoder refuses."""
    if not contents:
        return []
    encoded = [torch.frombuffer(bytearray(content), dtype=torch.uint8) for content in contents]
    try:
        return list(decode_jpeg(encoded, ImageReadMode.RGB, device))
    except RuntimeError:
        if len(contents) == 1:
            return [None]
        # One refused file fails the whole batch, and the error does not name it.
        return [_decode_together([content], device)[0] for content in contents]
