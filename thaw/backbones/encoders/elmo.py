"""ELMo: vectors of words from their characters, and a language model in both directions over them.

Peters et al., "Deep Contextualized Word Representations", NAACL 2018; the characters: Kim et al., "Character-Aware Neural Language Models", AAAI 2016.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from thaw.backbones.encoders.recurrent import AT_ONCE, BidirectionalLstm, LstmShape, seen

FAMILY = "elmo"
ACTIVATIONS = ("relu", "tanh")
NAME = re.compile(
    rf"{FAMILY}-(\d+)x(\d+)-((?:\d+x\d+)(?:\.\d+x\d+)*)-({'|'.join(ACTIVATIONS)})-(\d+)-(\d+)x(\d+)x(\d+)(?:-clip([\d.]+)x([\d.]+))?"
)
_WORDS = 256
"""The number of words whose characters are read at once; their values then stay in the cache."""


@dataclass(frozen=True)
class ElmoShape:
    """Everything that determines a network.

    ids: the number of different characters with that of padding. dim: of a character. filters: pairs of a width in characters and the number of filters.
    activation: of `ACTIVATIONS`. highways: the number of highway layers. layers: of the language model. cell: of their memory. state: of their output in one
    direction, and of a word. limits: of the memory and of the output; None: they are not clipped.
    """

    ids: int
    dim: int
    filters: tuple[tuple[int, int], ...]
    activation: str
    highways: int
    layers: int
    cell: int
    state: int
    limits: tuple[float, float] | None

    @property
    def architecture(self) -> str:
        """The network's name, such as `elmo-262x16-1x32.2x32.3x64-relu-2-2x4096x512-clip3x3`."""
        filters = ".".join(f"{width}x{count}" for width, count in self.filters)
        clip = "" if self.limits is None else f"-clip{self.limits[0]:g}x{self.limits[1]:g}"
        sizes = f"{self.highways}-{self.layers}x{self.cell}x{self.state}"
        return f"{FAMILY}-{self.ids}x{self.dim}-{filters}-{self.activation}-{sizes}{clip}"


def shape_in(architecture: str) -> ElmoShape | None:
    """The inverse of `ElmoShape.architecture`; None: it is another network, or one of its sizes is 0."""
    found = NAME.fullmatch(architecture)
    if found is None:
        return None
    filters = tuple((int(width), int(count)) for width, count in (each.split("x") for each in found[3].split(".")))
    ids, dim, highways, layers, cell, state = (int(found[place]) for place in (1, 2, 5, 6, 7, 8))
    if not min(ids, dim, layers, cell, state, *(size for each in filters for size in each)):
        return None
    limits = None if found[9] is None else (float(found[9]), float(found[10]))
    return ElmoShape(ids, dim, filters, found[4], highways, layers, cell, state, limits)


def network_named(architecture: str, num_classes: int) -> nn.Module | None:
    """The network with that name, with random weights; None: the name is of another family."""
    shape = shape_in(architecture)
    return None if shape is None else Elmo(shape, num_classes)


class Elmo(nn.Module):
    """Takes `tokens` int16 [B, T, L], the characters of words, and `mask` bool [B, T].

    Cut layers: `characters`, float [B, T, S], which sees a word alone; `layers.0` to the last, float [B, T, 2 S], which see the words before a word in their
    first half and those behind it in their second; and `mix`, float [B, T, 2 S], their weighted mean (equation 1 of the paper, with equal weights at first).
    Words that are not in the mask are passed over, and zero in all of them. A text is one sequence, and each text begins with the same state: that of the
    language model after the mark of a sentence's beginning, or of its end for the way back.

    Each layer hands on the layers below it beside its own output, because the mix needs all of them; so the network can be split between any two layers.
    """

    micro_batch: ClassVar[int] = AT_ONCE

    def __init__(self, shape: ElmoShape, num_classes: int) -> None:
        super().__init__()
        self.cut_layers = ("characters", *(f"layers.{number}" for number in range(shape.layers)), "mix")
        self.characters = Characters(shape)
        self.recurrent = nn.ModuleList(Layer(shape, is_first=number == 0) for number in range(shape.layers))
        self.layers = nn.ModuleList(nn.Identity() for _ in range(shape.layers))  # they name the cut layers
        self.weighted = Mix(shape)
        self.mix = nn.Identity()  # it names the default cut layer
        self.fc = nn.Linear(2 * shape.state, num_classes)
        self._width = 2 * shape.state

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Logits float32 [B, C]."""
        stack = self.characters(batch["tokens"], batch["mask"])
        for layer, named in zip(self.recurrent, self.layers, strict=True):
            stack = layer(stack)
            named(stack[:, :, : self._width])
        there = seen(stack)[:, :, None]
        logits: Tensor = self.fc(self.mix(self.weighted(stack))).masked_fill(~there, 0.0)
        return logits.sum(1) / there.sum(1).clamp(min=1)

    @torch.no_grad()
    def begin_after(self, marks: Tensor) -> None:
        """Let every text begin with the state after a mark; marks: int16 [2, L], the characters of the marks of a beginning and of an end."""
        inputs = self.characters(marks[None], torch.ones(1, 2, dtype=torch.bool))[0]
        for number, layer in enumerate(self.recurrent):
            lstm = layer.lstm
            assert isinstance(lstm, BidirectionalLstm)
            lstm.hidden.zero_()
            lstm.cell.zero_()
            hidden, cell = lstm.after(inputs)
            lstm.hidden.copy_(hidden)
            lstm.cell.copy_(cell)
            inputs = hidden + inputs if number else hidden


class Characters(nn.Module):
    """Vectors of words: convolutions over their characters, the largest value of each filter, highway layers, and a projection."""

    def __init__(self, shape: ElmoShape) -> None:
        super().__init__()
        total = sum(count for _, count in shape.filters)
        self.embedding = nn.Embedding(shape.ids, shape.dim)
        convolutions = [nn.Conv1d(shape.dim, count, width) for width, count in shape.filters]
        self.filters = nn.ParameterList(each.weight for each in convolutions)
        self.biases = nn.ParameterList(each.bias for each in convolutions)
        self.highways = Highways(total, shape.highways)
        self.projection = nn.Linear(total, shape.state)
        self._activation = shape.activation

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Float [B, T, S], zero where there is no word; tokens: int16 [B, T, L]; mask: bool [B, T]."""
        found = strongest(tokens, self.embedding.weight, list(self.filters), list(self.biases), self._activation)
        vectors: Tensor = self.projection(self.highways(found))
        return vectors.masked_fill(~mask[:, :, None], 0.0)


@fx.wrap
def strongest(
    tokens: Tensor, characters: Tensor, filters: Sequence[Tensor], biases: Sequence[Tensor], activation: str
) -> Tensor:
    """The largest value of each filter in each word, float [B, T, F].

    tokens: int16 [B, T, L]. characters: float [K, D]. filters: float [F, D, W] each; biases: float [F]. A graph keeps it as one node.
    """
    words = tokens.flatten(0, 1).long()
    parts = [words] if torch.compiler.is_exporting() else words.split(_WORDS)
    found = [_strongest(F.embedding(part, characters).transpose(1, 2), filters, biases) for part in parts]
    values: Tensor = torch.cat(found).unflatten(0, (tokens.shape[0], tokens.shape[1]))
    return values.relu() if activation == "relu" else values.tanh()


def _strongest(characters: Tensor, filters: Sequence[Tensor], biases: Sequence[Tensor]) -> Tensor:
    """characters: float [N, D, L]. An activation that grows with its input may follow the maximum."""
    pairs = zip(filters, biases, strict=True)
    return torch.cat([F.conv1d(characters, weight, bias).amax(2) for weight, bias in pairs], 1)


class Highways(nn.Module):
    """Highway layers: Srivastava, Greff and Schmidhuber, "Highway Networks", 2015."""

    def __init__(self, dim: int, count: int) -> None:
        super().__init__()
        self.transforms = nn.ModuleList(nn.Linear(dim, dim) for _ in range(count))
        self.gates = nn.ModuleList(nn.Linear(dim, dim) for _ in range(count))
        for gate in self.gates:
            nn.init.constant_(gate.bias, -2.0)  # type: ignore[arg-type]  # section 2.2: a layer begins by passing its input on

    def forward(self, vectors: Tensor) -> Tensor:
        """vectors: float [B, T, F]."""
        for transform, gate in zip(self.transforms, self.gates, strict=True):
            share: Tensor = gate(vectors).sigmoid()
            changed: Tensor = transform(vectors).relu()
            vectors = torch.lerp(vectors, changed, share)
        return vectors


class Layer(nn.Module):
    """A layer of the language model; to the output of all layers but the first their input is added."""

    def __init__(self, shape: ElmoShape, *, is_first: bool) -> None:
        super().__init__()
        self.lstm = BidirectionalLstm(LstmShape(shape.state, shape.cell, shape.state, shape.limits))
        self._is_first, self._state = is_first, shape.state

    def forward(self, stack: Tensor) -> Tensor:
        """Float [B, T, 2 S + W], the layer before its input; stack: float [B, T, W], the layers below it, the last one first."""
        there = seen(stack)
        if self._is_first:
            return torch.cat([self.lstm(stack, stack, there), stack], 2)
        below = stack[:, :, : 2 * self._state]
        above = self.lstm(below[:, :, : self._state], below[:, :, self._state :], there)
        return torch.cat([above + below, stack], 2)


class Mix(nn.Module):
    """The weighted mean of all layers; the characters count for both directions."""

    def __init__(self, shape: ElmoShape) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(shape.layers + 1))
        self.scale = nn.Parameter(torch.ones(1))
        self._width = 2 * shape.state
        self._ends = [self._width * number for number in range(shape.layers, 0, -1)]

    def forward(self, stack: Tensor) -> Tensor:
        """Float [B, T, 2 S]; stack: float [B, T, W], all layers, the last one first."""
        characters = stack[:, :, self._ends[0] :]
        layers = [stack[:, :, end - self._width : end] for end in self._ends]
        parts = torch.stack([torch.cat([characters, characters], 2), *layers], 3)
        return self.scale * (parts * self.weights.softmax(0)).sum(3)
