"""Prepared texts: a mapping of `tokens` int64 [B, T] and `mask` bool [B, T], which is false behind the end of a shorter text."""

from collections.abc import Mapping

import torch
from torch import Tensor

from thaw.kinds.batches import Batch

TOKENS, MASK = "tokens", "mask"


def prepared(tokens: Tensor) -> dict[str, Tensor]:
    """One prepared text; tokens: int64 [T]."""
    return {TOKENS: tokens, MASK: torch.ones(len(tokens), dtype=torch.bool)}


def mapping(batch: Batch) -> Mapping[str, Tensor]:
    """The batch of a kind whose batches are mappings."""
    assert not isinstance(batch, Tensor)
    return batch


def hidden(batch: Batch, share: float, generator: torch.Generator | None = None) -> dict[str, Tensor]:
    """The batch without some words, drawn at random; the first word of a text stays.

    Word dropout: Iyyer et al., "Deep Unordered Composition Rivals Syntactic Methods for Text Classification", ACL 2015, section 3.1.
    """
    given = mapping(batch)
    kept = torch.rand(given[MASK].shape, generator=generator) >= share
    kept[:, 0] = True
    return {**given, MASK: given[MASK] & kept}
