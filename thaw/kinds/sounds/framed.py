"""Prepared sounds: a mapping of `samples` float32 [B, F, hop] and `mask` bool [B, F].

A place is a frame of 10 ms, without overlap, so lengths are counted and padded in frames; `samples.flatten(1)` is the wave. The mask is false behind the end
of a shorter sound.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

SAMPLES, MASK = "samples", "mask"
FRAMES_A_SECOND = 100


def hop_of(rate: int) -> int:
    """The samples of a frame; rate: samples a second, a multiple of `FRAMES_A_SECOND`."""
    return rate // FRAMES_A_SECOND


def framed(wave: Tensor, rate: int) -> dict[str, Tensor]:
    """One prepared sound; wave: float32 [T] from -1 to 1, whose last frame is filled with zeros."""
    hop = hop_of(rate)
    frames = max(1, -(-len(wave) // hop))
    samples = F.pad(wave, (0, frames * hop - len(wave))).view(frames, hop)
    return {SAMPLES: samples, MASK: torch.ones(frames, dtype=torch.bool)}
