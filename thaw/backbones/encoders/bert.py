"""Encoders of the BERT family: a stack of transformer layers over the pieces of a text.

Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding", NAACL 2019.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FAMILY = "bert"
ACTIVATIONS: Mapping[str, str] = {"gelu": "none", "tanh": "tanh"}
"""The approximation of the GELU by an activation's name."""
POOLINGS = ("mean", "first")
NAME = re.compile(
    rf"{FAMILY}-(\d+)x(\d+)-(\d+)x(\d+)x(\d+)-(\d+)-({'|'.join(ACTIVATIONS)})-eps(\d+)-({'|'.join(POOLINGS)})(-unit)?"
)
_SPREAD = 0.02
"""The standard deviation of random vectors, as in the paper's own code."""


@dataclass(frozen=True)
class BertShape:
    """Everything that determines a network.

    pieces: numbers of the vocabulary. window: places that see each other. activation: of `ACTIVATIONS`. decimals: the normalisations add 10^-decimals to a
    variance. pooling: of `POOLINGS`, `mean` of all places or of the windows' `first` ones. unit: whether pooled vectors get the length 1.
    """

    pieces: int
    dim: int
    layers: int
    heads: int
    inner: int
    window: int
    activation: str
    decimals: int
    pooling: str
    unit: bool

    @property
    def architecture(self) -> str:
        """The network's name, such as `bert-30522x384-6x12x1536-256-gelu-eps12-mean-unit`."""
        return (
            f"{FAMILY}-{self.pieces}x{self.dim}-{self.layers}x{self.heads}x{self.inner}-{self.window}"
            f"-{self.activation}-eps{self.decimals}-{self.pooling}{'-unit' if self.unit else ''}"
        )


def shape_in(architecture: str) -> BertShape | None:
    """The inverse of `BertShape.architecture`; None: it is another network, or its heads do not divide its dimensions."""
    found = NAME.fullmatch(architecture)
    if found is None:
        return None
    pieces, dim, layers, heads, inner, window = map(int, found.groups()[:6])
    if not min(pieces, dim, layers, heads, inner, window) or dim % heads:
        return None
    return BertShape(pieces, dim, layers, heads, inner, window, found[7], int(found[8]), found[9], bool(found[10]))


def network_named(architecture: str, num_classes: int) -> nn.Module | None:
    """The network with that name, with random weights; None: the name is of another family."""
    shape = shape_in(architecture)
    return None if shape is None else Bert(shape, num_classes)


class Bert(nn.Module):
    """Takes `tokens` int64 [B, T], the numbers of pieces, and `mask` bool [B, T]: windows of a text one after another, each but the last one full.

    Places see only their own window, and positions begin anew in each, so a longer text costs in proportion to its length. Cut layers: `embeddings` and
    `layers.0` to the last, float [B, T, D], and `pooled`, float [B, D]. Places without a piece are zero in all of them: a layer tells by its input alone
    what it may see, so the network can be split between any two layers.
    """

    def __init__(self, shape: BertShape, num_classes: int) -> None:
        super().__init__()
        self.embeddings = Embeddings(shape)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.pool = MeanOfPlaces(shape) if shape.pooling == "mean" else MeanOfFirst(shape)
        self.pooled = nn.Identity()  # it names the default cut layer
        self.fc = nn.Linear(shape.dim, num_classes)

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Logits float32 [B, C]."""
        places = self.embeddings(batch["tokens"], batch["mask"])
        for layer in self.layers:
            places = layer(places)
        logits: Tensor = self.fc(self.pooled(self.pool(places)))
        return logits


class Embeddings(nn.Module):
    """A vector for each piece and for its position in the window."""

    def __init__(self, shape: BertShape) -> None:
        super().__init__()
        self.pieces = nn.Embedding(shape.pieces, shape.dim)
        self.positions = nn.Embedding(shape.window, shape.dim)
        self.norm = nn.LayerNorm(shape.dim, 10.0**-shape.decimals)
        self.window = shape.window
        for table in (self.pieces, self.positions):
            nn.init.normal_(table.weight, std=_SPREAD)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """tokens: int64 [B, T]; mask: bool [B, T]."""
        position = numbers(tokens, tokens.shape[1]) % self.window
        return self.at(tokens, position).masked_fill(~mask[:, :, None], 0.0)

    def at(self, tokens: Tensor, position: Tensor) -> Tensor:
        """The vectors of pieces at positions in their windows, both int64 [...]."""
        vectors: Tensor = self.norm(self.pieces(tokens) + self.positions(position))
        return vectors


class Layer(nn.Module):
    """Attention and two linear maps, each added to its input and normalised."""

    def __init__(self, shape: BertShape) -> None:
        super().__init__()
        epsilon = 10.0**-shape.decimals
        self.attention = Attention(shape)
        self.attention_norm = nn.LayerNorm(shape.dim, epsilon)
        self.inner = nn.Linear(shape.dim, shape.inner)
        self.outer = nn.Linear(shape.inner, shape.dim)
        self.norm = nn.LayerNorm(shape.dim, epsilon)
        self.approximation = ACTIVATIONS[shape.activation]

    def forward(self, places: Tensor) -> Tensor:
        """places: float [B, T, D]; those without a piece are zero, and stay zero."""
        attended = self.attention_norm(places + self.attention(places))
        changed = self.outer(F.gelu(self.inner(attended), approximate=self.approximation))
        vectors: Tensor = self.norm(attended + changed)
        return vectors.masked_fill(~seen(places)[:, :, None], 0.0)


class Windowed(Protocol):
    """The sizes of attention: heads that divide the dimensions, in windows of places that see each other."""

    @property
    def dim(self) -> int:
        """The dimensions of a place."""

    @property
    def heads(self) -> int:
        """The number of heads."""

    @property
    def window(self) -> int:
        """The places of a window."""


class Attention(nn.Module):
    """Attention within each window."""

    def __init__(self, shape: Windowed) -> None:
        super().__init__()
        self.queries_keys_values = nn.Linear(shape.dim, 3 * shape.dim)
        self.joined = nn.Linear(shape.dim, shape.dim)
        self.heads, self._width, self._window = shape.heads, shape.dim // shape.heads, shape.window

    def forward(self, places: Tensor) -> Tensor:
        """places: float [B, T, D]; those without a piece are zero."""
        texts, length, dim = places.shape[0], places.shape[1], self.heads * self._width
        # N = B W windows of K places, by the numbers of rows: padding, slices and a dimension of W would fix the length in an exported graph, and ONNX takes
        # no remainder by a traced number.
        windows, width = (length + self._window - 1) // self._window, torch.sym_min(length, self._window)
        row = numbers(places, texts * windows * width)
        window, text = row // width, row // width // windows
        place = (window - text * windows) * self._window + row - window * width
        taken = text * length + place.clamp(max=length - 1)
        there = places.reshape(texts * length, dim)[taken].reshape(texts * windows, width, dim)
        known = seen(there) & (place < length).reshape(texts * windows, width)
        attended = self._attended(there, known).reshape(texts * windows * width, dim)
        row = numbers(places, texts * length)
        text = row // length
        place = row - text * length
        back = (text * windows + place // self._window) * width + place % self._window
        joined: Tensor = self.joined(attended[back].reshape(texts, length, dim))
        return joined

    def _attended(self, there: Tensor, known: Tensor) -> Tensor:
        """there: float [N, K, D]; known: bool [N, K], whether there is a piece."""
        heads = (there.shape[0], there.shape[1], 3, self.heads, self._width)
        queries, keys, values = self.queries_keys_values(there).reshape(heads).permute(2, 0, 3, 1, 4).unbind()
        found = F.scaled_dot_product_attention(queries, keys, values, attn_mask=self.bias(there, known))
        return found.transpose(1, 2)

    def bias(self, there: Tensor, known: Tensor) -> Tensor:
        """What is added to the products of places before the softmax, float, or which places are visible, bool; [N, 1 or H, 1 or K, K]."""
        del there
        return self.visible(known)

    def visible(self, known: Tensor) -> Tensor:
        """Whether a place is seen: bool [N, 1, 1, K]."""
        # The softmax over nothing is NaN: a window without a piece, the padding of a shorter text, sees its own zeros.
        return (known | ~known.any(1, keepdim=True))[:, None, None]


class MeanOfPlaces(nn.Module):
    """The mean of all pieces in all windows."""

    def __init__(self, shape: BertShape) -> None:
        super().__init__()
        self._unit = shape.unit

    def forward(self, places: Tensor) -> Tensor:
        """places: float [B, T, D]; those without a piece are zero."""
        mean = places.sum(1) / seen(places).sum(1, keepdim=True).clamp(min=1)
        return F.normalize(mean) if self._unit else mean


class MeanOfFirst(nn.Module):
    """The mean of the windows' first pieces, which are special and stand for the whole window."""

    def __init__(self, shape: BertShape) -> None:
        super().__init__()
        self._unit, self._window = shape.unit, shape.window

    def forward(self, places: Tensor) -> Tensor:
        """places: float [B, T, D]; those without a piece are zero."""
        first = places[:, :: self._window]
        mean = first.sum(1) / seen(first).sum(1, keepdim=True).clamp(min=1)
        return F.normalize(mean) if self._unit else mean


def seen(places: Tensor) -> Tensor:
    """Whether a place holds a piece: bool [B, T]; places: float [B, T, D], zero in all dimensions if they hold none."""
    return (places != 0).any(2)


def numbers(places: Tensor, count: int) -> Tensor:
    """The numbers from 0 on, int64 [count], on the device of the places; `arange` takes no count of a traced tensor."""
    return places.new_ones(count, dtype=torch.int64).cumsum(0) - 1
