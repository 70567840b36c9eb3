"""Random changes of training images, each drawn anew in every epoch. All draws come from torch's global generator."""

from collections.abc import Callable

import torch
from torch import Tensor
from torchvision.transforms import v2

from thaw.kinds.images.distortion import Distortion, distort

SMALLEST_CROP = 0.5
"""Of the image's area."""


def augment(pixels: Tensor, how: str) -> Tensor:
    """Change each image for itself: uint8 [B, 3, H, W] to the same.

    `flip`: left and right, every other time. `crop`: also a random part of at least half the area, resized. `distort`: affine and elastic
    distortions, for drawings and writing, which a flip would spoil. `randaugment`: crop, flip, and Cubuk et al., "RandAugment", NeurIPS 2020.
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
    """Mirror the images that `mirrored`, bool [B], picks; pixels of any shape [B, ..., W]."""
    return torch.where(mirrored.view(-1, *(1,) * (pixels.dim() - 1)), pixels.flip(-1), pixels)


def build_mixing(mixup: float, cutmix: float, classes: int) -> v2.Transform | None:
    """Mixup (Zhang et al., ICLR 2018) and CutMix (Yun et al., ICCV 2019) of a batch with its targets, each for its alpha; one of the two at random
    where both are above 0, None where none is."""
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
    """torchvision draws once for all that it is given."""
    return torch.stack([change(image) for image in pixels])


def _distorted(pixels: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(int(torch.randint(2**62, ())))
    # A picture's edge goes on, so that no black corners come in whatever its background is.
    changed = distort(pixels.float() / 255, Distortion(padding="border"), generator)
    return (changed * 255).round().clamp(0, 255).to(torch.uint8)
