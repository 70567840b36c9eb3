"""Affine and elastic distortions of images, for a network that is trained from random weights."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from thaw.kinds.batches import Batch, tensor_of
from thaw.kinds.images.distortion import Distortion, distort


@dataclass(frozen=True)
class DistortedImages:
    """A `Scratch` on images, float [N, 3, H, W] on the scale [0, 1] after `begin`. mean and std: of the three channels."""

    mean: Sequence[float]
    std: Sequence[float]
    distortion: Distortion = field(default_factory=Distortion)

    def begin(self, batch: Batch) -> Tensor:
        """uint8 [N, 3, H, W] to the scale [0, 1]."""
        return tensor_of(batch).float() / 255

    def changed(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Distorted and normalised."""
        return normalise(distort(tensor_of(batch), self.distortion, generator), self.mean, self.std)

    def plain(self, batch: Batch) -> Tensor:
        """Normalised."""
        return normalise(tensor_of(batch), self.mean, self.std)


def normalise(pixels: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """(pixels - mean) / std by channel, in channels-last memory order. pixels: float [N, 3, H, W] on the scale [0, 1]."""
    shape = (1, len(mean), 1, 1)
    scaled = (pixels - torch.tensor(mean).view(shape)) / torch.tensor(std).view(shape)
    return scaled.contiguous(memory_format=torch.channels_last)
