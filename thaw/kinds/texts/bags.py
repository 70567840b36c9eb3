"""Features of texts without a backbone: words and pairs of neighbours."""

import torch
from torch import Tensor

from thaw.kinds.batches import Batch
from thaw.kinds.texts.padded import MASK, TOKENS, mapping

BITS = 20
"""With 2^20 numbers, two of a million different pairs seldom share one."""
_FIRST, _SECOND = -0x61C8864680B583EB, 0x2545F4914F6CDD1D
"""Odd numbers without pattern; the first is the golden ratio's (Knuth, The Art of Computer Programming, volume 3, section 6.4)."""


def word_bags(batch: Batch) -> Tensor:
    """The numbers of each text's words and pairs of neighbouring words, by hashing: int32 [B, 2 T - 1], -1 for padding.

    Hashing: Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009, here without signs.
    """
    given = mapping(batch)
    tokens, mask = given[TOKENS], given[MASK]
    pairs = tokens[:, :-1] * _SECOND + tokens[:, 1:]
    keys, counted = torch.cat([tokens, pairs], 1), torch.cat([mask, mask[:, :-1] & mask[:, 1:]], 1)
    numbers = (keys * _FIRST >> (64 - BITS)) & (2**BITS - 1)
    return torch.where(counted, numbers, -1).int()
