"""Sounds that are too short for a network, filled with zeros."""

import torch
from torch import Tensor

from thaw.backbones.places import numbers


def filled(samples: Tensor, mask: Tensor, least: int, whole: int, at_least: int) -> tuple[Tensor, Tensor]:
    """The frames [B, max(F, at_least), hop] with zeros behind each sound, and the lengths int64 [B, 1] in frames.

    A sound of fewer than `least` frames stands in the middle of `whole` frames, and has that length. samples: float [B, F, hop]; mask: bool [B, F].
    """
    frames, length = mask.shape[1], mask.sum(1, keepdim=True)
    short = length < least
    before = ((whole - length) // 2).masked_fill(~short, 0)
    # Taken by their numbers: padding would fix the length in an exported graph.
    number = numbers(samples, torch.sym_max(frames, at_least))[None] - before
    there = (number >= 0) & (number < length)
    taken = number.clamp(min=0).minimum(length - 1).clamp(min=0)[:, :, None].expand(-1, -1, samples.shape[2])
    return samples.gather(1, taken).masked_fill(~there[:, :, None], 0.0), length.masked_fill(short, whole)
