"""Raw pixels as the features of a model without a backbone."""

import torch
import torch.nn.functional as F

PIXEL_SIDE = 32
"""The longest side of images whose raw pixels are features; larger images are scaled down."""


def flat_pixels(images: torch.Tensor) -> torch.Tensor:
    """uint8 [N, 3, H, W] as float32 [N, D] on the scale [0, 1], scaled down to `PIXEL_SIDE` a side if they are larger."""
    pixels = images.float() / 255
    if max(pixels.shape[2:]) > PIXEL_SIDE:
        pixels = F.interpolate(pixels, (PIXEL_SIDE, PIXEL_SIDE), mode="bilinear", antialias=True)
    return pixels.flatten(1)
