"""Word vectors of a neural language model, with shared vectors for rare words, as TF-hub's modules `nnlm` hold them.

Bengio et al., "A Neural Probabilistic Language Model", JMLR 2003; only its table of words is kept.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from thaw.backbones.encoders.word_vectors import Average, Find, Maximum

FAMILY = "nnlm"
_SIZE = re.compile(rf"{FAMILY}-([1-9]\d*)x([1-9]\d*)-(\d+)")


def architecture_of(words: int, dim: int, buckets: int) -> str:
    """The name of a network, such as `nnlm-948000x128-24000`; buckets: vectors that unknown words share, 0 where these do not count."""
    return f"{FAMILY}-{words}x{dim}-{buckets}"


def network_named(architecture: str, num_classes: int) -> nn.Module | None:
    """The network with that name, with random vectors; None: the name is of another family."""
    size = _SIZE.fullmatch(architecture)
    return None if size is None else Nnlm(int(size[1]), int(size[2]), int(size[3]), num_classes)


class Nnlm(nn.Module):
    """Takes `tokens` int64 [B, T], the fingerprints of words, and `mask` bool [B, T].

    Cut layers, each float32 [B, D]: `mean` and `maximum` of the words' vectors, and `pooled`, their sum divided by the square root of their number, as the
    modules have it. An unknown word has the vector of the bucket of its fingerprint.

    Tensors: `keys` int64 [V], sorted, from `thaw.kinds.texts.fingerprints.fingerprint_of`; `vectors` float32 [V + buckets, D], words before buckets.
    """

    vocabulary: ClassVar[tuple[str, ...]] = ("keys",)
    """Buffers that say what the input means; a network with random weights keeps them."""
    keys: Tensor

    def __init__(self, words: int, dim: int, buckets: int, num_classes: int) -> None:
        super().__init__()
        self.register_buffer("keys", torch.arange(words))
        self.vectors = nn.Parameter(torch.randn(words + buckets, dim) / math.sqrt(dim))
        self.find, self.bucket = Find(words), Bucket(max(buckets, 1))
        self.maximum, self.mean = Maximum(), Average()
        self.scaled = ScaledSum()
        self.pooled = nn.Identity()  # it names the default cut layer
        self.fc = nn.Linear(dim, num_classes)
        self._words, self._counts_unknown = words, buckets > 0

    def unknown_share(self, batch: Mapping[str, Tensor]) -> float:
        """The share of a batch's words that have no vector of their own."""
        tokens = batch["tokens"]
        return float((self.keys[self.find(self.keys, tokens)] != tokens)[batch["mask"]].float().mean())

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Logits float32 [B, C]."""
        tokens, mask = batch["tokens"], batch["mask"]
        places = self.find(self.keys, tokens)
        known = self.keys[places] == tokens
        rows = torch.where(known, places, self._words + self.bucket(tokens)) if self._counts_unknown else places
        counted = mask if self._counts_unknown else known & mask
        vectors = self.vectors[rows]
        self.maximum(vectors, counted)
        weights = counted.to(vectors.dtype)
        self.mean(vectors, weights)
        logits: Tensor = self.fc(self.pooled(self.scaled(vectors, weights)))
        return logits


class Bucket(nn.Module):
    """The remainder of a fingerprint without sign, from operations on numbers with sign."""

    def __init__(self, buckets: int) -> None:
        super().__init__()
        self._buckets = buckets
        self._turn = 2**64 % buckets
        """What a negative number lacks."""

    def forward(self, tokens: Tensor) -> Tensor:
        """The buckets of tokens int64 [B, T], from 0 on."""
        return (tokens % self._buckets + (tokens < 0).to(tokens.dtype) * self._turn) % self._buckets


class ScaledSum(nn.Module):
    """The sum of vectors, divided by the square root of their number."""

    def forward(self, vectors: Tensor, counted: Tensor) -> Tensor:
        """vectors: float [B, T, D]; counted: float [B, T], 1 or 0."""
        return (vectors * counted[:, :, None]).sum(1) / counted.sum(1, keepdim=True).clamp(min=1).sqrt()
