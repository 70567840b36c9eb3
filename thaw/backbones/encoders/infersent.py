"""InferSent: a recurrent network in both directions over word vectors, and its largest value in each dimension.

Conneau et al., "Supervised Learning of Universal Sentence Representations from Natural Language Inference Data", EMNLP 2017, section 3.2.2.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from thaw.backbones.encoders.recurrent import AT_ONCE, BidirectionalLstm, LstmShape, seen
from thaw.backbones.encoders.word_vectors import Average, Find, Maximum

FAMILY = "infersent"
_SIZE = re.compile(rf"{FAMILY}-([1-9]\d*)x([1-9]\d*)-([1-9]\d*)")


def architecture_of(words: int, dim: int, cell: int) -> str:
    """The name of a network, such as `infersent-2196017x300-2048`."""
    return f"{FAMILY}-{words}x{dim}-{cell}"


def network_named(architecture: str, num_classes: int) -> nn.Module | None:
    """The network with that name, with random weights; None: the name is of another family."""
    size = _SIZE.fullmatch(architecture)
    return None if size is None else InferSent(int(size[1]), int(size[2]), int(size[3]), num_classes)


class InferSent(nn.Module):
    """Takes `tokens` int64 [B, T], the keys of words, and `mask` bool [B, T].

    Cut layers: `words` float [B, D], the mean of the vectors of known words; `mean` and `maximum` float [B, 2 H], of the states of the recurrence over the
    mark of a beginning, the known words, and the mark of an end. Words without a vector are passed over, and so is a mark. Padding never counts.
    """

    cut_layers: ClassVar[tuple[str, ...]] = ("words", "mean", "maximum")
    micro_batch: ClassVar[int] = AT_ONCE
    vocabulary: ClassVar[tuple[str, ...]] = ("embeddings.keys", "embeddings.marks")
    """Buffers that say what the input means; a network with random weights keeps them."""

    def __init__(self, words: int, dim: int, cell: int, num_classes: int) -> None:
        super().__init__()
        self.embeddings = Embeddings(words, dim)
        self.lstm = BidirectionalLstm(LstmShape(dim, cell))
        self.average_of_words, self.average, self.largest = Average(), Average(), Maximum()
        self.words, self.mean, self.maximum = nn.Identity(), nn.Identity(), nn.Identity()  # they name the cut layers
        self.fc = nn.Linear(2 * cell, num_classes)

    def unknown_share(self, batch: Mapping[str, Tensor]) -> float:
        """The share of a batch's words that have no vector."""
        tokens, mask = batch["tokens"], batch["mask"]
        keys = self.embeddings.keys
        return float((keys[self.embeddings.find(keys, tokens)] != tokens)[mask].float().mean())

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Logits float32 [B, C]."""
        places = self.embeddings(batch["tokens"], batch["mask"])
        known = seen(places)
        self.words(self.average_of_words(places[:, 1:-1], known[:, 1:-1].to(places.dtype)))
        states = self.lstm(places, places, known)
        there = seen(states)
        self.mean(self.average(states, there.to(states.dtype)))
        # The maximum comes last, because the default cut layer is the one before the classifier.
        logits: Tensor = self.fc(self.maximum(self.largest(states, there)))
        return logits


class Embeddings(nn.Module):
    """The vectors of words and of the marks around a text.

    Tensors: `keys` int64 [V], sorted, from `thaw.kinds.texts.word_keys.key_of`; `marks` int64 [2], the keys of the beginning and the end; `vectors` float32
    [V, D].
    """

    keys: Tensor
    marks: Tensor

    def __init__(self, words: int, dim: int) -> None:
        super().__init__()
        self.register_buffer("keys", torch.arange(words))
        self.register_buffer("marks", torch.arange(2))
        self.vectors = nn.Parameter(torch.randn(words, dim) / math.sqrt(dim))
        self.find = Find(words)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Float [B, T + 2, D], zero for words without a vector; tokens: int64 [B, T]; mask: bool [B, T]."""
        marks = torch.zeros_like(tokens[:, :1]) + self.marks
        marked = torch.cat([marks[:, :1], tokens, marks[:, 1:]], 1)
        places = self.find(self.keys, marked)
        there = torch.ones_like(marked[:, :1]).bool()
        known = (self.keys[places] == marked) & torch.cat([there, mask, there], 1)
        return self.vectors[places].masked_fill(~known[:, :, None], 0.0)
