"""Features of texts without a backbone: words and pairs of neighbours."""

import torch
from torch import Tensor

from thaw.kinds.batches import Batch, mapping_of
from thaw.kinds.texts.padded import MASK, TOKENS

BITS = 20
"""With 2^20 numbers, two of a million different pairs seldom share one."""
_FIRST, _SECOND = -0x61C8864680B583EB, 0x2545F4914F6CDD1D
"""Odd numbers without pattern; the first is the golden ratio's (Knuth, The Art of Computer Programming, volume 3, section 6.4)."""


def word_bags(batch: Batch) -> Tensor:
    """The numbers of each text's words and pairs of neighbouring words, by hashing: int32 [B, 2 T], -1 for padding.

    Hashing: Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009, here without signs.
    """
    given = mapping_of(batch)
    tokens, mask = _numbers(given[TOKENS]), given[MASK]
    # Without slices an exported graph takes texts of any length.
    places = torch.arange(tokens.shape[1], device=tokens.device)
    following = (places + 1).clamp(max=tokens.shape[1] - 1)
    pairs, paired = tokens * _SECOND + tokens[:, following], mask & mask[:, following] & (following > places)
    keys, counted = torch.cat([tokens, pairs], 1), torch.cat([mask, paired], 1)
    numbers = (keys * _FIRST >> (64 - BITS)) & (2**BITS - 1)
    return torch.where(counted, numbers, -1).int()


def _numbers(tokens: Tensor) -> Tensor:
    """A number for each word: int64 [B, T]; tokens: int64 [B, T], or the characters of words, int16 [B, T, L]."""
    if tokens.dim() == 2:
        return tokens
    numbers = torch.zeros_like(tokens[:, :, 0], dtype=torch.int64)
    for place in range(tokens.shape[2]):
        numbers = (
            numbers ^ tokens[:, :, place]
        ) * _SECOND  # a hash in steps, as FNV-1a's; int64 overflows as it should
    return numbers
