"""Prepared texts: a mapping of `tokens` int64 [B, T] and `mask` bool [B, T], which is false behind the end of a shorter text."""

import torch
from torch import Tensor

from thaw.kinds.batches import Batch, mapping_of

TOKENS, MASK = "tokens", "mask"


def prepared(tokens: Tensor) -> dict[str, Tensor]:
    """One prepared text; tokens: int64 [T]."""
    return {TOKENS: tokens, MASK: torch.ones(len(tokens), dtype=torch.bool)}


def hidden(batch: Batch, share: float, generator: torch.Generator | None = None) -> dict[str, Tensor]:
    """The batch without some words, drawn at random; the first word of a text stays.

    Word dropout: Iyyer et al., "Deep Unordered Composition Rivals Syntactic Methods for Text Classification", ACL 2015, section 3.1.
    """
    given = mapping_of(batch)
    kept = torch.rand(given[MASK].shape, generator=generator) >= share
    kept[:, 0] = True
    return {**given, MASK: given[MASK] & kept}
