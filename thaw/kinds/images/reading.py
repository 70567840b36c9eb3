"""Reads images that were ingested as the backbone takes them, within a bound on the memory that decoded ones take."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeVar

import torch
from PIL import ImageFile

from thaw.foundation.errors import BadSource
from thaw.foundation.files.atomic import digest_bytes
from thaw.foundation.parallel.memory_budget import MemoryBound
from thaw.kinds.images.decoding import decode_resized, decoded_nbytes
from thaw.kinds.images.files import open_image
from thaw.kinds.images.preprocessing import Preprocessing
from thaw.kinds.views import IDENTITY, View


class Readable(Protocol):
    """What an image's bytes come from, such as a path; its text names it in errors."""

    def read_bytes(self) -> bytes:
        """All of them."""


_Item = TypeVar("_Item")
Reference = tuple[bytes, Readable]
"""An image to be read: its digest, and where it lies."""


@dataclass(frozen=True)
class PixelSource:
    """Reads and decodes; safe to call from threads, which share the bound."""

    name: ClassVar[str] = "cpu"
    preprocessing: Preprocessing
    max_pixels: int
    bound: MemoryBound

    def read(self, images: Sequence[Reference]) -> torch.Tensor:
        """Read, check and decode: uint8 [N, 3, H, W].

        Raises:
            BadSource: an image is gone, or is not the one that was ingested.
            BadExample: one is damaged, or has more than `max_pixels` pixels.
        """
        return self.read_views(images, (IDENTITY,))[IDENTITY]

    def read_views(self, images: Sequence[Reference], views: Sequence[View]) -> dict[View, torch.Tensor]:
        """The same for each view, uint8 [N, 3, H, W]; an image is decoded once, whatever the number of views."""
        resized = [self._read(*image) for image in images]
        return {view: torch.stack([self.preprocessing.view(one, view) for one in resized]) for view in views}

    def resized(self, opened: ImageFile.ImageFile, content: bytes) -> torch.Tensor:
        """See `decode_resized`; waits until there is room for the decoded picture."""
        with self.bound.holding(decoded_nbytes(opened, self.preprocessing)):
            return decode_resized(opened, content, self.preprocessing)

    def _read(self, digest: bytes, path: Readable) -> torch.Tensor:
        content = read_ingested(digest, path)
        return self.resized(open_image(content, self.max_pixels), content)


def spread(images: Sequence[_Item], count: int) -> Sequence[_Item]:
    """`count` images at even distances, so that no class stands for all; all of them where there are fewer."""
    found = min(count, len(images))
    return [images[number * len(images) // found] for number in range(found)]


def read_ingested(digest: bytes, path: Readable) -> bytes:
    """The bytes of an image file, checked.

    Raises:
        BadSource: it is gone, or is not the one that was ingested.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadSource(
            f"{path} was ingested but cannot be read now ({error.strerror}); run `thaw run` to ingest again"
        ) from error
    if digest_bytes(content) != digest:
        raise BadSource(f"{path} changed since it was ingested; run `thaw run` to ingest again")
    return content
