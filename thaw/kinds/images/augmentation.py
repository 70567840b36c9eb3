"""Random changes of training images, each drawn anew in every epoch. All draws come from torch's global generator."""

from collections.abc import Callable

import torch
from torch import Tensor
from torchvision.transforms import v2

from thaw.kinds.images.distortion import Distortion, distort

SMALLEST_CROP = 0.5
"""The smallest share of an image's area in a random crop."""


def augment(pixels: Tensor, how: str) -> Tensor:
    """Change each image independently: uint8 [B, 3, H, W] to the same.

    `flip`: left and right, with probability 1/2. `crop`: also a random part of at least half the area, resized. `distort`: affine and elastic
    distortions, for drawings and writing; a flip would spoil them. `randaugment`: crop, flip, and Cubuk et al., "RandAugment", NeurIPS 2020.
    """
    match how:
        case "none":
            return pixels
        case "flip":
            return flip(pixels, torch.rand(len(pixels)) < 0.5)
        case "crop":
            return _each(pixels, _crop(pixels))
        case "distort":
            return _distorted(pixels)
        case "randaugment":
            return _each(pixels, v2.Compose([_crop(pixels), v2.RandAugment()]))
    raise ValueError(f"images cannot be changed by {how!r}")


def flip(pixels: Tensor, mirrored: Tensor) -> Tensor:
    """Mirror the images where `mirrored`, bool [B], is true; pixels of any shape [B, ..., W]."""
    return torch.where(mirrored.view(-1, *(1,) * (pixels.dim() - 1)), pixels.flip(-1), pixels)


def build_mixing(mixup: float, cutmix: float, classes: int) -> v2.Transform | None:
    """Mixup (Zhang et al., ICLR 2018) and CutMix (Yun et al., ICCV 2019) of a batch with its targets, each with its alpha. If both
    alphas are above 0, each batch gets one of the two at random; None: both are 0."""
    wanted: list[v2.Transform] = []
    if mixup > 0:
        wanted.append(v2.MixUp(alpha=mixup, num_classes=classes))
    if cutmix > 0:
        wanted.append(v2.CutMix(alpha=cutmix, num_classes=classes))
    return v2.RandomChoice(wanted) if wanted else None


def _crop(pixels: Tensor) -> v2.Transform:
    resized = v2.RandomResizedCrop(pixels.shape[2:], scale=(SMALLEST_CROP, 1.0), antialias=True)
    return v2.Compose([resized, v2.RandomHorizontalFlip()])


def _each(pixels: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    """Apply a transform to each image separately, because torchvision draws once for a whole batch."""
    return torch.stack([change(image) for image in pixels])


def _distorted(pixels: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(int(torch.randint(2**62, ())))
    # The edge pixels are repeated beyond the image, so that no corner becomes black.
    changed = distort(pixels.float() / 255, Distortion(padding="border"), generator)
    return (changed * 255).round().clamp(0, 255).to(torch.uint8)
