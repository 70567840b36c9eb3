"""Places of layers over time: which of them lie in an example, where a network has no padding of its own.

A network states them in its attribute `spans`, by the names of its cut layers. The places of other networks' layers are found by their number alone: see
`thaw.backbones.pooling`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn


@dataclass(frozen=True)
class Span:
    """The places of a layer: place j is computed from `window` places of the input, from j x `stride` on.

    least, filled: the network sets an example with fewer places than `least` into zeros, `filled` places together, and these count as the example's own. None
    of its layers' windows is longer than `least`.
    """

    window: int
    stride: int
    least: int
    filled: int

    def counted(self, mask: Tensor, places: int) -> Tensor:
        """Whether a place's whole window lies in its example: bool [B, places]; mask: bool [B, T], whether a place of the input does."""
        length = mask.sum(1, keepdim=True)
        whole = length.masked_fill(length < self.least, self.filled)
        return numbers(mask, places) * self.stride + self.window <= whole


@fx.wrap
def numbers(like: Tensor, count: int) -> Tensor:
    """The numbers from 0 on, int64 [count], on the device of a tensor; one node of a traced network, where `arange` takes no count."""
    return torch.arange(count, device=like.device)


def spans_of(model: nn.Module) -> Mapping[str, Span]:
    """The spans that a network states, by cut layer; none if its layers' places are found by their number."""
    spans: Mapping[str, Span] = getattr(model, "spans", {})
    return spans
