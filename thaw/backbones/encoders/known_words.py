"""The common part of networks with a table of words whose last row stands for all unknown ones."""

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from thaw.backbones.encoders.word_vectors import Find


class KnownWords(nn.Module):
    """A network that takes `tokens` int64 [B, T], the keys of words from `thaw.kinds.texts.word_keys.key_of`, and `mask` bool [B, T].

    Tensors: `keys` int64 [V], sorted, of the words of the first V rows of its tables; row V is the vector of every other word.
    """

    vocabulary: ClassVar[tuple[str, ...]] = ("keys",)
    """Buffers that say what the input means; a network with random weights keeps them."""
    keys: Tensor

    def __init__(self, words: int) -> None:
        super().__init__()
        self.register_buffer("keys", torch.arange(words))
        self.rows = Rows(words)

    def unknown_share(self, batch: Mapping[str, Tensor]) -> float:
        """The share of a batch's words that have no vector of their own."""
        tokens = batch["tokens"]
        return float((self.rows(self.keys, tokens) == len(self.keys))[batch["mask"]].float().mean())


class Rows(nn.Module):
    """The search of words among V known ones."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.find = Find(words)
        self._unknown = words

    def forward(self, keys: Tensor, tokens: Tensor) -> Tensor:
        """The rows of tokens int64 [B, T], V for unknown ones; keys: int64 [V], sorted."""
        places = self.find(keys, tokens)
        return torch.where(keys[places] == tokens, places, self._unknown)


def random_table(words: int, dim: int) -> nn.Parameter:
    """Random vectors of V words and of the unknown ones: float32 [V + 1, D]."""
    return nn.Parameter(torch.randn(words + 1, dim) / math.sqrt(dim))
