"""The network of averaged word vectors: a vector for each known word, and their mean, maximum and weighted mean."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

FAMILY = "word_vectors"
_SIZE = re.compile(rf"{FAMILY}-(\d+)x(\d+)")
RARE = 1e-3
"""The parameter a of the weighted mean."""


def architecture_of(words: int, dim: int) -> str:
    """The name of the network with that many words and dimensions, such as `word_vectors-400000x50`."""
    return f"{FAMILY}-{words}x{dim}"


def network_named(architecture: str, num_classes: int) -> nn.Module | None:
    """The network with that name, with random vectors; None: the name is of another family."""
    size = _SIZE.fullmatch(architecture)
    return None if size is None else WordVectors(int(size[1]), int(size[2]), num_classes)


class WordVectors(nn.Module):
    """Takes `tokens` int64 [B, T], the keys of words, and `mask` bool [B, T].

    Cut layers, each float32 [B, D]: `mean` and `maximum` of the vectors of known words, and `weighted`, where rare words count more: the weight of a word is
    a / (a + p), with a = 0.001 and its probability p (Arora, Liang and Ma, "A Simple but Tough-to-Beat Baseline for Sentence Embeddings", ICLR 2017,
    section 3). Their common direction is not taken off, because a linear head can do that. A text without a known word is zero.

    Tensors: `keys` int64 [V], sorted, from `thaw.kinds.texts.word_keys.key_of`; `vectors` float32 [V, D]; `rarity` float32 [V], the weights.
    """

    vocabulary: ClassVar[tuple[str, ...]] = ("keys", "rarity")
    """Buffers that say what the input means; a network with random weights keeps them."""
    keys: Tensor
    rarity: Tensor

    def __init__(self, words: int, dim: int, num_classes: int) -> None:
        super().__init__()
        self.register_buffer("keys", torch.arange(words))
        self.register_buffer("rarity", torch.ones(words))
        self.vectors = nn.Parameter(torch.randn(words, dim) / math.sqrt(dim))
        self.find = Find(words)
        self.average, self.maximum, self.weighted = Average(), Maximum(), Average()
        self.mean = nn.Identity()  # it names the default cut layer
        self.fc = nn.Linear(dim, num_classes)

    def unknown_share(self, batch: Mapping[str, Tensor]) -> float:
        """The share of a batch's words that have no vector."""
        tokens, mask = batch["tokens"], batch["mask"]
        return float((self.keys[self.find(self.keys, tokens)] != tokens)[mask].float().mean())

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Logits float32 [B, C]."""
        tokens, mask = batch["tokens"], batch["mask"]
        places = self.find(self.keys, tokens)
        known = (self.keys[places] == tokens) & mask
        vectors = self.vectors[places]
        self.maximum(vectors, known)
        self.weighted(vectors, known.to(vectors.dtype) * self.rarity[places].to(vectors.dtype))
        # The mean comes last, because the default cut layer is the one before the classifier.
        logits: Tensor = self.fc(self.mean(self.average(vectors, known.to(vectors.dtype))))
        return logits


class Find(nn.Module):
    """Binary search, of operations that every engine and ONNX have."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self._steps = [2**power for power in reversed(range(max(1, words - 1).bit_length()))]
        self._last = words - 1

    def forward(self, keys: Tensor, wanted: Tensor) -> Tensor:
        """The place of the largest key that is not above the wanted one, or 0; keys: int64 [V], sorted; wanted: int64 [B, T]."""
        place = torch.zeros_like(wanted)
        for step in self._steps:
            ahead = (place + step).clamp(max=self._last)
            place = torch.where(keys[ahead] <= wanted, ahead, place)
        return place


class Average(nn.Module):
    """The weighted mean of vectors."""

    def forward(self, vectors: Tensor, weights: Tensor) -> Tensor:
        """vectors: float [B, T, D]; weights: float [B, T], not negative."""
        total = (vectors * weights[:, :, None]).sum(1)
        return total / weights.sum(1, keepdim=True).clamp(min=1e-9)


class Maximum(nn.Module):
    """The largest value in each dimension."""

    def forward(self, vectors: Tensor, known: Tensor) -> Tensor:
        """vectors: float [B, T, D]; known: bool [B, T]."""
        largest = vectors.masked_fill(~known[:, :, None], -torch.inf).amax(1)
        return torch.where(known.any(1, keepdim=True), largest, 0.0)
