"""What the thawed part is fed with: pixels through the frozen part, or the frozen part's activations from the cache."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torchvision.transforms import v2

from thaw.kinds.images.augmentation import augment
from thaw.kinds.images.preprocessing import Preprocessing
from thaw.kinds.labelled_inputs import LabelledImages
from thaw.params.sections import Augment


class Feed(Protocol):
    """Inputs of the thawed part by row: float32 [B, ...], on the device asked for."""

    def __len__(self) -> int: ...

    def plain(self, rows: Tensor, device: torch.device) -> Tensor:
        """The images as they are; rows: int64 [B]."""

    def drawn(self, rows: Tensor, targets: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
        """The images as augmentation changes them, by torch's global generator; with their targets as they are, or float32 [B, C] where images are mixed."""


@dataclass(frozen=True, eq=False)
class PixelFeed:
    """Images, augmented, normalised, mixed with each other (None: not), and taken through the frozen part (None: nothing is frozen)."""

    images: LabelledImages
    preprocessing: Preprocessing
    lower: nn.Module | None
    augment: Augment
    mixing: v2.Transform | None = None

    def __len__(self) -> int:
        return len(self.images)

    def plain(self, rows: Tensor, device: torch.device) -> Tensor:
        """See `Feed`."""
        return self._through(self._normalised(self.images.batch(rows), device))

    def drawn(self, rows: Tensor, targets: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
        """See `Feed`."""
        batch, targets = self._normalised(augment(self.images.batch(rows), self.augment), device), targets.to(device)
        if self.mixing is not None:
            batch, targets = self.mixing(batch, targets)
        return self._through(batch), targets

    def _normalised(self, pixels: Tensor, device: torch.device) -> Tensor:
        return self.preprocessing.normalise(pixels.to(device)).contiguous(memory_format=torch.channels_last)

    def _through(self, batch: Tensor) -> Tensor:
        if self.lower is None:
            return batch
        with torch.no_grad():
            found: Tensor = self.lower.to(batch.device)(batch)
            return found


@dataclass(frozen=True, eq=False)
class ActivationFeed:
    """The frozen part's activations, float32 [N, V, ...], in each of the views that augmentation chooses from; the image as it is first."""

    activations: Tensor

    def __len__(self) -> int:
        return len(self.activations)

    def plain(self, rows: Tensor, device: torch.device) -> Tensor:
        """See `Feed`."""
        return self._on(self.activations[rows, 0], device)

    def drawn(self, rows: Tensor, targets: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
        """See `Feed`."""
        view = torch.randint(self.activations.shape[1], (len(rows),))
        return self._on(self.activations[rows, view], device), targets.to(device)

    def _on(self, batch: Tensor, device: torch.device) -> Tensor:
        moved = batch.to(device)
        return moved.contiguous(memory_format=torch.channels_last) if moved.dim() == 4 else moved
