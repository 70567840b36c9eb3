"""Pooling: from a layer's maps or tokens to one vector an example."""

import torch
import torch.nn.functional as F

from thaw.backbones.places import Span, numbers
from thaw.backbones.tokens import Tokens
from thaw.foundation.errors import BadParameters
from thaw.params.sections import Pooling

GEM_POWER = 3.0
GEM_FLOOR = 1e-6


def pool(
    output: torch.Tensor,
    pooling: Pooling = "average",
    mask: torch.Tensor | None = None,
    span: Span | None = None,
    tokens: Tokens | None = None,
) -> torch.Tensor:
    """Pool maps [B, C, H, W] and sequences [B, T, C] to [B, C], to [B, 3 C] by thirds, or to [B, 2 C] by `class_average`; leave [B, C] as it is.

    mask: bool [B, T], true where the input has no padding. It applies to the places of sequences, and to the columns of maps, whose last dimension is then
    time. Padding is not counted. span: tells which places of the layer count; without one, each place of a layer with fewer places than the input stands for
    ceil(T / places) places of the input, and counts if one of these counts. tokens: of a network whose sequences begin with other places than patches; the
    class token is in `class` and `class_average` alone, and registers are in none.

    `gem` is the generalised mean with p = 3 of activations clamped at 1e-6: Radenovic et al., "Fine-tuning CNN Image Retrieval with No Human
    Annotation", TPAMI 2018, section 3.2. `thirds` are the averages of the first, the middle and the last third of a sequence, one after another; a place on
    a border counts in both of its thirds, so a sequence of a single place has three equal thirds.

    Raises:
        BadParameters: thirds of maps without time, no class token, or it cannot be told which places of a layer are padding.
    """
    if not is_pooled(output):
        return output.flatten(1)
    if tokens is not None and output.dim() == 3:
        return _pool_tokens(output, pooling, tokens)
    if pooling in ("class", "class_average"):
        raise BadParameters(
            f"backbone.pooling: {pooling} given, and the layer has no class token; set average, max or gem"
        )
    if mask is not None:
        count = output.shape[3] if output.dim() == 4 else output.shape[1]
        mask = _reduced(mask, count) if span is None else span.counted(mask, count)
    if pooling == "thirds":
        return _thirds(output, mask)
    return _pool_plainly(output, pooling) if mask is None else _pool_masked(output, pooling, mask)


def _pool_tokens(output: torch.Tensor, pooling: Pooling, tokens: Tokens) -> torch.Tensor:
    patches = tokens.patches(output)
    if pooling == "thirds":
        raise BadParameters(
            "backbone.pooling: thirds are of time, and patches have none; set average, class or class_average"
        )
    if pooling not in ("class", "class_average"):
        return _pool_plainly(patches, pooling)
    if not tokens.has_class:
        raise BadParameters(
            f"backbone.pooling: {pooling} given, and the network has no class token; set average, max or gem"
        )
    return output[:, 0] if pooling == "class" else torch.cat([output[:, 0], patches.mean(1)], 1)


def _pool_plainly(output: torch.Tensor, pooling: Pooling) -> torch.Tensor:
    places = _values(output)
    match pooling:
        case "max":
            return places.amax(2)
        case "gem":
            return places.clamp(min=GEM_FLOOR).pow(GEM_POWER).mean(2).pow(1 / GEM_POWER)
        case _:
            return places.mean(2)


def _pool_masked(output: torch.Tensor, pooling: Pooling, mask: torch.Tensor) -> torch.Tensor:
    """mask: bool [B, places], over time."""
    counted = mask[:, None]  # [B, 1, places]
    if output.dim() == 4:
        counted = counted[:, :, None].expand(-1, -1, output.shape[2], -1).flatten(2)
    places = _values(output)
    number = counted.sum(2).clamp(min=1)
    match pooling:
        case "max":
            return places.masked_fill(~counted, -torch.inf).amax(2)
        case "gem":
            powers = places.clamp(min=GEM_FLOOR).pow(GEM_POWER).masked_fill(~counted, 0)
            return (powers.sum(2) / number).pow(1 / GEM_POWER)
        case _:
            return places.masked_fill(~counted, 0).sum(2) / number


def _values(output: torch.Tensor) -> torch.Tensor:
    """A layer's output as [B, C, places]."""
    return output.flatten(2) if output.dim() == 4 else output.transpose(1, 2)


def _thirds(output: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """The averages of three thirds, [B, 3 C]; mask: bool [B, places], over time."""
    if output.dim() == 4:
        if mask is None:
            raise BadParameters(
                "backbone.pooling: thirds are of time, and a layer's maps have none; set average, max or gem, or name a layer of tokens"
            )
        output = output.mean(2).transpose(1, 2)
    counted = torch.ones_like(output[:, :, 0], dtype=torch.bool) if mask is None else mask
    rank = numbers(output, output.shape[1])[None]
    number = (rank + 1).masked_fill(~counted, 0).amax(1, keepdim=True)  # up to the last place that counts
    # As torch's adaptive pooling: third k is from floor(k n / 3) to ceil((k + 1) n / 3).
    inside = [(rank >= k * number // 3) & (rank < ((k + 1) * number + 2) // 3) & counted for k in range(3)]
    weights = torch.stack(inside, 1).to(output.dtype)
    totals = weights @ output.masked_fill(~counted[:, :, None], 0)
    return (totals / weights.sum(2, keepdim=True).clamp(min=1)).flatten(1)


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
