"""Images as a kind. The heavy libraries are imported where they are used: words and names cost nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from thaw.kinds.kind import IDENTITY, Limits, Preview, Stored, View, Words
from thaw.kinds.views import CORNERS

if TYPE_CHECKING:
    from torch import Tensor

    from thaw.foundation.parallel.memory_budget import MemoryBound
    from thaw.kinds.images.preprocessing import Preprocessing
    from thaw.kinds.images.reading import PixelSource


@dataclass(frozen=True)
class Images:
    """Photographs, drawings and scans: uint8 [3, H, W] once they are prepared."""

    name: ClassVar[str] = "images"
    words: ClassVar[Words] = Words("image", "images", "photo.jpg", "raw pixels")
    media_types: ClassVar[tuple[str, ...]] = ("image/jpeg", "image/png", "image/webp", "image/*")
    views: ClassVar[Mapping[str, tuple[View, ...]]] = {
        IDENTITY: (IDENTITY,),
        "hflip": ("hflip",),
        "five_crop": (IDENTITY, *CORNERS),  # its centre is the identity, and not computed twice
    }
    augmentations: ClassVar[Mapping[str, tuple[View, ...]]] = {
        "none": (IDENTITY,),
        "flip": (IDENTITY, "hflip"),
        "crop": (),
        "distort": (),
        "randaugment": (),
    }

    def inspect(self, content: bytes, limits: Limits) -> Stored:
        """See `Kind` and `thaw.kinds.images.files.inspect`."""
        from thaw.kinds.images.files import inspect

        return inspect(content, limits.max_pixels)

    def refuse_size(self, nbytes: int, limits: Limits) -> None:
        """See `Kind`."""
        from thaw.kinds.images.files import refuse_size

        refuse_size(nbytes, limits.max_pixels)

    def fits_ending(self, stored: str, suffix: str) -> bool:
        """See `Kind`."""
        from thaw.kinds.images.files import fits_ending

        return fits_ending(stored, suffix)

    def preprocessing_from_json(self, text: str) -> Preprocessing:
        """See `Kind`."""
        from thaw.kinds.images.preprocessing import preprocessing_from_json

        return preprocessing_from_json(text)

    def reader(self, preprocessing: Preprocessing, limits: Limits, bound: MemoryBound) -> PixelSource:
        """See `Kind`."""
        from thaw.kinds.images.reading import PixelSource

        return PixelSource(preprocessing, limits.max_pixels, bound)

    def collate(self, examples: Sequence[Tensor]) -> Tensor:
        """uint8 [3, H, W] each: uint8 [B, 3, H, W]."""
        import torch

        return torch.stack(list(examples))

    def from_value(self, value: object) -> bytes:
        """See `Kind`: paths, bytes, `data:` URLs, and arrays uint8 [H, W], [H, W, 1] or [H, W, 3], or other integers from 0 to 255, as JSON gives them."""
        from thaw.kinds.images.values import from_value

        return from_value(value)

    def preview(self, content: bytes, limits: Limits, *, small: bool = False) -> Preview:
        """See `Kind`."""
        from thaw.kinds.images.preview import preview

        return preview(content, limits.max_pixels, small=small)

    def samples(self, count: int) -> list[bytes]:
        """See `Kind`: noise, from even grey to all tones."""
        from thaw.kinds.images.values import noise_files

        return noise_files(count)

    def augment(self, batch: Tensor, how: str) -> Tensor:
        """See `Kind` and `thaw.kinds.images.augmentation.augment`."""
        from thaw.kinds.images.augmentation import augment

        return augment(batch, how)

    def plain_features(self, batch: Tensor) -> Tensor:
        """Raw pixels; see `thaw.kinds.images.tensors.flat_pixels`."""
        from thaw.kinds.images.tensors import flat_pixels

        return flat_pixels(batch)


KIND = Images()
