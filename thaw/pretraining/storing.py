"""The precision of the numbers in the file of a backbone."""

from typing import Literal

import torch
from torch import Tensor

from thaw.backbones.weights import Weights

Stored = Literal["float32", "float16", "float8"]
_TYPES = {"float32": torch.float32, "float16": torch.float16, "float8": torch.float8_e4m3fn}


def as_stored(weights: Weights, stored: Stored) -> Weights:
    """The weights with matrices in another precision; vectors of numbers and counts stay. Whoever reads the file widens them to float32.

    float8 is that of Micikevicius et al., "FP8 Formats for Deep Learning", 2022, with 4 bits of exponent and 3 of mantissa, from 2^-9 to 448.
    """
    kind = _TYPES[stored]
    return Weights({name: _as(tensor, kind) for name, tensor in weights.tensors.items()}, weights.metadata)


def _as(tensor: Tensor, kind: torch.dtype) -> Tensor:
    return tensor.to(kind) if tensor.is_floating_point() and tensor.dim() > 1 else tensor


def widened(weights: Weights) -> Weights:
    """The weights as they are read from a file, in float32."""
    return Weights(
        {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in weights.tensors.items()},
        weights.metadata,
    )
