"""A language model with long short-term memory over word vectors, in one direction.

Sundermeyer, Schlüter and Ney, "LSTM Neural Networks for Language Modeling", Interspeech 2012; as features of a text: Howard and Ruder, "Universal Language
Model Fine-tuning for Text Classification", ACL 2018, section 3.3.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from thaw.backbones.encoders.recurrent import AT_ONCE, LstmShape, OnwardLstm, seen
from thaw.backbones.encoders.word_vectors import Average, Find, Maximum

FAMILY = "lstm"
_SIZE = re.compile(rf"{FAMILY}-([1-9]\d*)x([1-9]\d*)-([1-9]\d*)x([1-9]\d*)")


def architecture_of(words: int, dim: int, layers: int, cell: int) -> str:
    """The name of a network, such as `lstm-20000x100-1x300`."""
    return f"{FAMILY}-{words}x{dim}-{layers}x{cell}"


def network_named(architecture: str, num_classes: int) -> nn.Module | None:
    """The network with that name, with random weights; None: the name is of another family."""
    found = _SIZE.fullmatch(architecture)
    if found is None:
        return None
    words, dim, layers, cell = (int(each) for each in found.groups())
    return LanguageModel(words, dim, layers, cell, num_classes)


class LanguageModel(nn.Module):
    """Takes `tokens` int64 [B, T], the keys of words, and `mask` bool [B, T].

    Cut layers: `words` float [B, D], the mean of the vectors of known words; `layers.0` to the last, float [B, H], the mean of a layer's states; `maximum` and
    `last` float [B, H], of the states of the last layer; and `joined` float [B, 3 H], that layer's last state, its largest values and its mean, one after
    another (Howard and Ruder 2018). Words without a vector are passed over, so they never count, and neither does padding.
    """

    micro_batch: ClassVar[int] = AT_ONCE
    vocabulary: ClassVar[tuple[str, ...]] = ("embeddings.keys",)
    """Buffers that say what the input means; a network with random weights keeps them."""

    def __init__(self, words: int, dim: int, layers: int, cell: int, num_classes: int) -> None:
        super().__init__()
        self.cut_layers = ("words", *(f"layers.{number}" for number in range(layers)), "maximum", "last", "joined")
        self.embeddings = Embeddings(words, dim)
        self.recurrent = nn.ModuleList(OnwardLstm(LstmShape(cell if above else dim, cell)) for above in range(layers))
        self.average, self.maximum, self.last = Average(), Maximum(), Last()
        self.words, self.joined = nn.Identity(), nn.Identity()  # they name cut layers, and so do these:
        self.layers = nn.ModuleList(nn.Identity() for _ in range(layers))
        self.fc = nn.Linear(3 * cell, num_classes)

    def unknown_share(self, batch: Mapping[str, Tensor]) -> float:
        """The share of a batch's words that have no vector."""
        tokens, mask = batch["tokens"], batch["mask"]
        return float((~self.embeddings.known(tokens))[mask].float().mean())

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Logits float32 [B, C]."""
        states = self.embeddings(batch["tokens"], batch["mask"])
        there = seen(states)
        counted = there.to(states.dtype)
        mean = self.words(self.average(states, counted))
        for layer, named in zip(self.recurrent, self.layers, strict=True):
            states = layer(states, there)
            mean = named(self.average(states, counted))
        parts = [self.last(states, there), self.maximum(states, there), mean]
        logits: Tensor = self.fc(self.joined(torch.cat(parts, 1)))
        return logits


class Embeddings(nn.Module):
    """The vectors of words.

    Tensors: `keys` int64 [V], sorted, from `thaw.kinds.texts.word_keys.key_of`; `vectors` float32 [V, D].
    """

    keys: Tensor

    def __init__(self, words: int, dim: int) -> None:
        super().__init__()
        self.register_buffer("keys", torch.arange(words))
        self.vectors = nn.Parameter(torch.randn(words, dim) / math.sqrt(dim))
        self.find = Find(words)

    def known(self, tokens: Tensor) -> Tensor:
        """Whether words have a vector: bool [B, T]; tokens: int64 [B, T]."""
        return self.keys[self.find(self.keys, tokens)] == tokens

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Float [B, T, D], zero for words without a vector and for padding; tokens: int64 [B, T]; mask: bool [B, T]."""
        places = self.find(self.keys, tokens)
        counted = (self.keys[places] == tokens) & mask
        return self.vectors[places].masked_fill(~counted[:, :, None], 0.0)


class Last(nn.Module):
    """The vector of the last place that is seen; zero where there is none."""

    def forward(self, states: Tensor, seen: Tensor) -> Tensor:
        """states: float [B, T, H], zero where a place is not seen; seen: bool [B, T]."""
        behind = seen.flip(1).long().cumsum(1).flip(1)
        return (states * (seen & (behind == 1))[:, :, None].to(states.dtype)).sum(1)
