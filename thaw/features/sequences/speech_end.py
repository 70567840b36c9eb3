"""The end of the speech of a clip, where the search for a trigger in it begins."""

import math

import torch.nn.functional as F
from torch import Tensor

from thaw.backbones.places import Span

_BLOCK = 8
"""Frames, 80 ms."""
_SOFT_DB = 25.0


def end_of_speech(frames: Tensor) -> int:
    """The frame behind the last 80 ms whose power is within 25 dB of that of the loudest; 0 for no frames; frames: float32 [F, hop]."""
    if not len(frames):
        return 0
    powers = frames.square().mean(1)
    blocks = F.pad(powers, (0, -len(powers) % _BLOCK)).view(-1, _BLOCK).mean(1)
    loud = (blocks >= blocks.max() * 10 ** (-_SOFT_DB / 10)).nonzero()
    return min(len(frames), (int(loud[-1]) + 1) * _BLOCK)


def place_behind(frames: int, span: Span) -> int:
    """The first place of a layer that has heard so many frames."""
    return max(0, math.ceil((frames - span.window) / span.stride))
