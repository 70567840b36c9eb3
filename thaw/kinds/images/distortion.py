"""Random affine and elastic distortions of images, a batch at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Distortion:
    """The strength of distortions, as standard deviations. Lengths are fractions of the image's side."""

    rotation_degrees: float = 8.0
    shear: float = 0.12
    log_scale: float = 0.08
    translation: float = 0.04
    elastic: float = 0.04
    elastic_nodes: int = 4
    padding: Literal["zeros", "border", "reflection"] = "zeros"


def distort(images: Tensor, distortion: Distortion, generator: torch.Generator) -> Tensor:
    """Distort each image by an affine map and a smooth displacement field of its own.

    images: float [N, C, H, W]. Returns the same shape and dtype.
    Source: Simard et al., "Best Practices for Convolutional Neural Networks", ICDAR 2003, with a coarse grid of random
    displacements enlarged by bicubic interpolation in place of a Gaussian blur.
    """
    count, _, height, width = images.shape
    grid = F.affine_grid(_affine_maps(count, distortion, generator), [count, 1, height, width], align_corners=False)
    field = _elastic_field(count, (height, width), distortion, generator)
    return F.grid_sample(
        images,
        (grid + field).to(images.dtype),
        mode="bilinear",
        padding_mode=distortion.padding,
        align_corners=False,
    )


def _affine_maps(count: int, distortion: Distortion, generator: torch.Generator) -> Tensor:
    """Random maps from output to input coordinates, float32 [count, 2, 3]."""
    angle, shear, log_x, log_y = torch.randn(4, count, generator=generator)
    angle = angle * math.radians(distortion.rotation_degrees)
    shear = shear * distortion.shear
    scale_x, scale_y = torch.exp(log_x * distortion.log_scale), torch.exp(log_y * distortion.log_scale)
    shift = torch.randn(count, 2, 1, generator=generator) * 2 * distortion.translation  # the grid is 2 wide
    cos, sin = torch.cos(angle), torch.sin(angle)
    top = torch.stack([cos * scale_x, cos * shear - sin * scale_y], dim=-1)
    bottom = torch.stack([sin * scale_x, sin * shear + cos * scale_y], dim=-1)
    return torch.cat([torch.stack([top, bottom], dim=1), shift], dim=2)


def _elastic_field(count: int, size: tuple[int, int], distortion: Distortion, generator: torch.Generator) -> Tensor:
    """Smooth random displacements, float32 [count, height, width, 2]."""
    nodes = torch.randn(count, 2, distortion.elastic_nodes, distortion.elastic_nodes, generator=generator)
    field = F.interpolate(nodes, size=size, mode="bicubic", align_corners=True)
    return field.permute(0, 2, 3, 1) * 2 * distortion.elastic
