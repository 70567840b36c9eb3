"""The sequence of a network's features over the time of a sound; only networks whose places look at the sound around them alone have one."""

import torch
from torch import Tensor

from thaw.backbones.backbone import Backbone
from thaw.backbones.places import Span
from thaw.foundation.errors import BadParameters
from thaw.kinds.batches import Batch
from thaw.kinds.sounds.framed import FRAMES_A_SECOND, MASK, SAMPLES, hop_of
from thaw.kinds.sounds.preprocessing import WaveformPreprocessing

MOST_FRAMES = 4 * FRAMES_A_SECOND
"""Frames that the network takes at a time, so that memory does not grow with a stream."""
_TOLERANCE = 1e-3


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
