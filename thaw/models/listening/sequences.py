"""The sequence of a network's features from a stream of sound, place by place as the sound comes."""

from copy import copy
from typing import Self

import torch
from torch import Tensor

from thaw.backbones.backbone import Backbone
from thaw.features.sequences.network import MOST_FRAMES, rate_of, refuse_unless_local
from thaw.kinds.sounds.framed import FRAMES_A_SECOND, hop_of
from thaw.models.listening.chain import Chain


class FeatureStream:
    """The features of one stream; the rate is that of `backbone.preprocessing`, and the layer its last cut layer.

    Blocks of any size give the same places. A place comes as soon as the sound that it is computed from is there.

    Raises:
        BadParameters: see `refuse_unless_local`.
    """

    def __init__(self, backbone: Backbone) -> None:
        self._backbone, self._span = backbone, refuse_unless_local(backbone)
        self._chain = Chain(backbone, backbone.layers[-1])
        self._hop = hop_of(rate_of(backbone))
        self._rest = torch.zeros(0)
        """The samples of a frame that is not complete."""

    def fresh(self) -> Self:
        """The same for another stream; see `Chain.fresh`."""
        other = copy(self)
        other._chain, other._rest = self._chain.fresh(), torch.zeros(0)
        return other

    @property
    def period_s(self) -> float:
        """The distance of two places."""
        return self._span.stride / FRAMES_A_SECOND

    @property
    def window_s(self) -> float:
        """The length of the sound that one place is computed from."""
        return self._span.window / FRAMES_A_SECOND

    def feed(self, block: Tensor) -> Tensor:
        """The features of the places that end within the block, float32 [P, D]; block: float32 [T], from -1 to 1."""
        samples = torch.cat([self._rest, block])
        frames = samples[: len(samples) // self._hop * self._hop].view(-1, self._hop)
        self._rest = samples[frames.numel() :].clone()
        parts = [self._chain.feed(part) for part in frames.split(MOST_FRAMES)]
        return torch.cat([part for part in parts if len(part)] or [torch.zeros(0, 0)])

    def end(self) -> Tensor:
        """The features of the places that a last, incomplete frame completes, float32 [P, D]."""
        return self.feed(torch.zeros(-len(self._rest) % self._hop))
