"""The network of averaged word vectors whose unknown words are made of their parts: fastText's."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from thaw.backbones.encoders.word_vectors import Average, Find, Maximum

FAMILY = "subword_vectors"
_SIZE = re.compile(rf"{FAMILY}-(\d+)x(\d+)-(\d+)")


def architecture_of(words: int, dim: int, buckets: int) -> str:
    """The name of a network, such as `subword_vectors-2000000x300-2000000`."""
    return f"{FAMILY}-{words}x{dim}-{buckets}"


def network_named(architecture: str, num_classes: int) -> nn.Module | None:
    """The network with that name, with random vectors; None: the name is of another family."""
    size = _SIZE.fullmatch(architecture)
    return None if size is None else SubwordVectors(int(size[1]), int(size[2]), int(size[3]), num_classes)


class SubwordVectors(nn.Module):
    """Takes `tokens` int64 [B, T] and `mask` bool [B, T], as `thaw.backbones.encoders.word_vectors.WordVectors`, and `grams` and `owners`
    int64 [B, M], the sub-words.

    The vector of an unknown word is the mean of the vectors of its sub-words (Bojanowski et al., "Enriching Word Vectors with Subword Information", TACL 2017,
    section 3.2). Cut layers and tensors are those of `WordVectors`, and `grams` float32 [buckets + 1, D], whose first row stands for no sub-word.
    """

    vocabulary: ClassVar[tuple[str, ...]] = ("keys", "rarity")
    """Buffers that say what the input means; a network with random weights keeps them."""
    keys: Tensor
    rarity: Tensor

    def __init__(self, words: int, dim: int, buckets: int, num_classes: int) -> None:
        super().__init__()
        self.register_buffer("keys", torch.arange(words))
        self.register_buffer("rarity", torch.ones(words))
        self.vectors = nn.Parameter(torch.randn(words, dim) / math.sqrt(dim))
        self.grams = nn.Parameter(torch.randn(buckets + 1, dim) / math.sqrt(dim))
        self.find, self.make = Find(words), Make()
        self.average, self.maximum, self.weighted = Average(), Maximum(), Average()
        self.mean = nn.Identity()  # it names the default cut layer
        self.fc = nn.Linear(dim, num_classes)

    def unknown_share(self, batch: Mapping[str, Tensor]) -> float:
        """The share of a batch's words that have neither a vector nor sub-words."""
        tokens, mask = batch["tokens"], batch["mask"]
        known = self.keys[self.find(self.keys, tokens)] == tokens
        parts = torch.zeros_like(tokens).scatter_add(1, batch["owners"], (batch["grams"] > 0).to(tokens.dtype))
        return float((~known & (parts == 0))[mask].float().mean())

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Logits float32 [B, C]."""
        tokens, mask = batch["tokens"], batch["mask"]
        places = self.find(self.keys, tokens)
        known = self.keys[places] == tokens
        given = self.vectors[places]
        made, count = self.make(given, self.grams[batch["grams"]], batch["grams"] > 0, batch["owners"])
        vectors = torch.where(known[:, :, None], given, made)
        counted = (known | (count > 0)) & mask
        weights = torch.where(known, self.rarity[places].to(vectors.dtype), 1.0)
        self.maximum(vectors, counted)
        self.weighted(vectors, counted.to(vectors.dtype) * weights)
        # The mean comes last, because the default cut layer is the one before the classifier.
        logits: Tensor = self.fc(self.mean(self.average(vectors, counted.to(vectors.dtype))))
        return logits


class Make(nn.Module):
    """The mean of the sub-words of each word."""

    def forward(self, like: Tensor, parts: Tensor, there: Tensor, owners: Tensor) -> tuple[Tensor, Tensor]:
        """Means float [B, T, D], and the numbers of sub-words float [B, T].

        like: float [B, T, D]. parts: float [B, M, D]. there: bool [B, M], whether a part counts. owners: int64 [B, M], the place of the word of each part.
        """
        counted = there.to(parts.dtype)
        into = owners[:, :, None].expand(-1, -1, parts.shape[2])
        total = torch.zeros_like(like).scatter_add(1, into, parts * counted[:, :, None])
        count = torch.zeros_like(like[:, :, 0]).scatter_add(1, owners, counted)
        return total / count.clamp(min=1)[:, :, None], count
