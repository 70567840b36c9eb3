"""Pooling: from a layer's maps or tokens to one vector an example."""

import torch
import torch.nn.functional as F

from thaw.foundation.errors import BadParameters
from thaw.params.sections import Pooling

GEM_POWER = 3.0
GEM_FLOOR = 1e-6


def pool(output: torch.Tensor, pooling: Pooling = "average", mask: torch.Tensor | None = None) -> torch.Tensor:
    """Pool spatial maps [B, C, H, W] and token sequences [B, T, C] to [B, C]; leave [B, C] as it is.

    mask: bool [B, T], true where the input has no padding. It applies to the places of sequences, and to the columns of maps, whose last dimension is then
    time. Padding is not counted. In a layer with fewer places than the input, each place stands for ceil(T / places) places of the input, and counts if one
    of these counts.

    `gem` is the generalised mean with p = 3 of activations clamped at 1e-6: Radenovic et al., "Fine-tuning CNN Image Retrieval with No Human
    Annotation", TPAMI 2018, section 3.2.
    """
    if not is_pooled(output):
        return output.flatten(1)
    if mask is not None:
        return _pool_masked(output, pooling, mask)
    places = output.flatten(2) if output.dim() == 4 else output.transpose(1, 2)  # [B, C, places]
    match pooling:
        case "average":
            return places.mean(2)
        case "max":
            return places.amax(2)
        case "gem":
            return places.clamp(min=GEM_FLOOR).pow(GEM_POWER).mean(2).pow(1 / GEM_POWER)


def _pool_masked(output: torch.Tensor, pooling: Pooling, mask: torch.Tensor) -> torch.Tensor:
    maps = output if output.dim() == 4 else output.transpose(1, 2)[:, :, None]  # [B, C, H, T]
    counted = _reduced(mask, maps.shape[3])[:, None, None].expand(-1, 1, maps.shape[2], -1).flatten(2)  # [B, 1, places]
    places = maps.flatten(2)
    number = counted.sum(2).clamp(min=1)
    match pooling:
        case "average":
            return places.masked_fill(~counted, 0).sum(2) / number
        case "max":
            return places.masked_fill(~counted, -torch.inf).amax(2)
        case "gem":
            powers = places.clamp(min=GEM_FLOOR).pow(GEM_POWER).masked_fill(~counted, 0)
            return (powers.sum(2) / number).pow(1 / GEM_POWER)


def _reduced(mask: torch.Tensor, places: int) -> torch.Tensor:
    """The mask of a layer with fewer places than the input: bool [B, places].

    Raises:
        BadParameters: no even reduction of the input gives that number of places.
    """
    length = mask.shape[1]
    if length == places:
        return mask
    stride = -(-length // places)
    if -(-length // stride) != places:
        raise BadParameters(
            f"backbone.layers: a layer makes {places} places of {length}, so it cannot be told which of them are padding; name another layer"
        )
    whole = F.pad(mask, (0, stride * places - length))
    return whole.view(len(mask), places, stride).any(2)


def is_pooled(output: torch.Tensor) -> bool:
    """Whether there is anything to pool in a layer's output."""
    return output.dim() in (3, 4)
