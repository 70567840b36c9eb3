"""JPEG files decoded and resized on a GPU, a batch at a time (nvJPEG, by torchvision); all others as on the CPU."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import ClassVar

import torch
from PIL import ImageFile
from torchvision.io import ImageReadMode, decode_jpeg

from thaw.backbones.backbone import Backbone
from thaw.backbones.engines import Precision, Work
from thaw.backbones.engines.reference import reference_features, worst_deviation
from thaw.backbones.engines.tolerances import TOLERANCES
from thaw.kinds.images.decoding import decoded_nbytes, is_plain_jpeg, scaled_by
from thaw.kinds.images.files import open_image, orientation_of
from thaw.kinds.images.reading import PixelSource, Reference, read_ingested, spread
from thaw.kinds.views import IDENTITY, View

log = logging.getLogger(__name__)

SAMPLE = 32
"""Images on which the two ways are compared."""


@dataclass(frozen=True)
class GpuPixelSource:
    """Gives what `plain` gives, on `device`, with another decoder for the files that it takes; safe to call from threads.

    A GPU's decoder rounds otherwise and interpolates colour otherwise than the CPU's, so its pixels are not the same: see `fastest_pixels`.
    """

    name: ClassVar[str] = "gpu"
    plain: PixelSource
    device: torch.device

    def read(self, images: Sequence[Reference]) -> torch.Tensor:
        """See `PixelSource.read`."""
        return self.read_views(images, (IDENTITY,))[IDENTITY]

    def read_views(self, images: Sequence[Reference], views: Sequence[View]) -> dict[View, torch.Tensor]:
        """See `PixelSource.read_views`."""
        contents = [read_ingested(*image) for image in images]
        opened = [open_image(content, self.plain.max_pixels) for content in contents]
        suited = [number for number, one in enumerate(opened) if self._suits(one)]
        with self.plain.bound.holding(sum(decoded_nbytes(opened[one], self.plain.preprocessing) for one in suited)):
            decoded = _decode_together([contents[number] for number in suited], self.device)
            resized = {
                number: self.plain.preprocessing.resized_tensor(one)
                for number, one in zip(suited, decoded, strict=True)
                if one is not None
            }
        for number in set(range(len(images))) - resized.keys():
            resized[number] = self.plain.resized(opened[number], contents[number]).to(self.device)
        in_order = [resized[number] for number in range(len(images))]
        return {view: torch.stack([self.plain.preprocessing.view(one, view) for one in in_order]) for view in views}

    def _suits(self, opened: ImageFile.ImageFile) -> bool:
        """Upright colour JPEG that is decoded whole: what a GPU's decoder gives as it is wanted."""
        upright = is_plain_jpeg(opened) and opened.mode == "RGB" and orientation_of(opened) == 1
        return upright and scaled_by(opened, self.plain.preprocessing) == 1


Pixels = PixelSource | GpuPixelSource


def fastest_pixels(
    plain: PixelSource, backbone: Backbone, precision: Precision, images: Sequence[Reference], work: Work
) -> Pixels:
    """Where there is a GPU: what decodes a sample faster (the GPU, or all workers of the CPU together), if features stay within the
    tolerance of the precision; else `plain`.
    """
    sample = spread(images, SAMPLE)
    if work.device.type != "cuda" or len(sample) < SAMPLE:
        return plain
    other = GpuPixelSource(plain, work.device)
    expected = reference_features(plain.read(sample), backbone)
    found = reference_features(other.read(sample), backbone)
    worst = worst_deviation(found, expected)
    here = _seconds(lambda: plain.read(sample)) / work.workers
    there = _seconds(lambda: other.read(sample).cpu())
    right = TOLERANCES[precision].allows(worst)
    log.info(
        "decoding on the GPU: %.0f images/s, on the CPU %.0f; %s%s",
        SAMPLE / there,
        SAMPLE / here,
        worst,
        "" if right else ", outside the tolerance",
    )
    return other if right and there < here else plain


def _decode_together(contents: Sequence[bytes], device: torch.device) -> list[torch.Tensor | None]:
    """uint8 [3, H, W] each, on the device; None for what its decoder refuses."""
    if not contents:
        return []
    encoded = [torch.frombuffer(bytearray(content), dtype=torch.uint8) for content in contents]
    try:
        return list(decode_jpeg(encoded, ImageReadMode.RGB, device))
    except RuntimeError:
        if len(contents) == 1:
            return [None]
        # One refused file fails the whole batch, and nothing says which.
        return [_decode_together([content], device)[0] for content in contents]


def _seconds(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start
