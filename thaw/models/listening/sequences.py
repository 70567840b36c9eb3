"""The sequence of a network's features from a stream of sound, place by place as the sound comes."""

import torch
from torch import Tensor

from thaw.backbones.backbone import Backbone
from thaw.backbones.places import Span
from thaw.foundation.errors import BadParameters
from thaw.kinds.batches import Batch
from thaw.kinds.sounds.framed import FRAMES_A_SECOND, MASK, SAMPLES, hop_of
from thaw.kinds.sounds.preprocessing import WaveformPreprocessing
from thaw.models.listening.chain import Chain

MOST_FRAMES = 4 * FRAMES_A_SECOND
"""Frames that the network takes at a time, so that memory does not grow with a stream."""
_TOLERANCE = 1e-3


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


def sequence(backbone: Backbone, span: Span, frames: Tensor) -> Tensor:
    """The features of all places whose window lies in a sound, float32 [P, D], [0, 0] if there are none; frames: float32 [F, hop].

    Long sounds are taken in pieces, so that memory does not grow with them.
    """
    places, most = (len(frames) - span.window) // span.stride + 1, MOST_FRAMES // span.stride
    pieces = [(start, min(most, places - start)) for start in range(0, places, most)]
    parts = [
        _places(backbone, frames[start * span.stride : (start + count - 1) * span.stride + span.window], count)
        for start, count in pieces
    ]
    return torch.cat(parts) if parts else torch.zeros(0, 0)


def _places(backbone: Backbone, frames: Tensor, count: int) -> Tensor:
    """The first places of a sound; the network sets a short one into zeros, and has more places then."""
    batch: Batch = {SAMPLES: frames[None], MASK: torch.ones(1, len(frames), dtype=torch.bool)}
    with torch.inference_mode():
        found: Tensor = backbone.extractor(backbone.preprocessing.normalise(batch))[backbone.layers[-1]][0]
    return found[:count].clone()


def rate_of(backbone: Backbone) -> int:
    """The samples a second that a network takes.

    Raises:
        BadParameters: it takes no sounds.
    """
    if not isinstance(backbone.preprocessing, WaveformPreprocessing):
        raise BadParameters(
            f"{backbone.architecture} takes {backbone.words.many}, and a stream is sound; take a backbone of sounds"
        )
    return backbone.preprocessing.rate


def refuse_unless_local(backbone: Backbone) -> Span:
    """The places of the last cut layer, if a place depends on the sound in its own window alone.

    Raises:
        BadParameters: the network takes no sounds, does not state its places, or a place depends on what comes later.
    """
    rate, layer = rate_of(backbone), backbone.layers[-1]
    span = backbone.span(layer)
    if span is None:
        raise BadParameters(
            f"{backbone.architecture} computes each place of `{layer}` from the whole sound, and a stream has no end; take speech_embedding-local"
        )
    quiet = 1e-5 * torch.randn(2 * span.window, hop_of(rate), generator=torch.Generator().manual_seed(0))
    later = quiet.clone()
    later[span.window :] *= 1e5
    alone, before = (sequence(backbone, span, each)[0] for each in (quiet, later))
    if (alone - before).abs().max() > _TOLERANCE * alone.abs().max():
        raise BadParameters(
            f"in {backbone.architecture} what comes later changes the features of `{layer}` before it, and a stream has no end; take speech_embedding-local"
        )
    return span
