"""Raw pixels as the features of a model without a backbone."""

import torch
import torch.nn.functional as F

PIXEL_SIDE = 32
"""The longest side of images whose raw pixels are features; larger images are scaled down."""


def flat_pixels(images: torch.Tensor) -> torch.Tensor:
    """Normalised images, float [N, 3, H, W], as float [N, D], scaled down to `PIXEL_SIDE` a side if they are larger."""
    if max(images.shape[2:]) > PIXEL_SIDE:
        images = F.interpolate(images, (PIXEL_SIDE, PIXEL_SIDE), mode="bilinear", antialias=True)
    return images.flatten(1)
