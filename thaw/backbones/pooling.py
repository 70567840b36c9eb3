"""Pooling: from a layer's maps or tokens to one vector an image."""

import torch

from thaw.params.sections import Pooling

GEM_POWER = 3.0
GEM_FLOOR = 1e-6


def pool(output: torch.Tensor, pooling: Pooling = "average") -> torch.Tensor:
    """Pool spatial maps [B, C, H, W] and token sequences [B, T, C] to [B, C]; leave [B, C] as it is.

    `gem` is the generalised mean with p = 3 of activations clamped at 1e-6: Radenovic et al., "Fine-tuning CNN Image Retrieval with No Human
    Annotation", TPAMI 2018, section 3.2.
    """
    if not is_pooled(output):
        return output.flatten(1)
    places = output.flatten(2) if output.dim() == 4 else output.transpose(1, 2)  # [B, C, places]
    match pooling:
        case "average":
            return places.mean(2)
        case "max":
            return places.amax(2)
        case "gem":
            return places.clamp(min=GEM_FLOOR).pow(GEM_POWER).mean(2).pow(1 / GEM_POWER)


def is_pooled(output: torch.Tensor) -> bool:
    """Whether there is anything to pool in a layer's output."""
    return output.dim() in (3, 4)
