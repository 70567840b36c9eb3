"""The Universal Sentence Encoder with convolutions: pieces of a text in runs of several lengths, summed, and layers behind the sum.

Yang et al., "Multilingual Universal Sentence Encoder for Semantic Retrieval", ACL 2020 (System Demonstrations), section 3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thaw.backbones.encoders.bert import seen

FAMILY = "use"
_NAME = re.compile(rf"{FAMILY}-(\d+)x(\d+)-(\d+)-(\d+)-runs(\d+(?:x\d+)*)")
EPSILON = 1e-12
"""What the normalisations add to a variance, and the last one to a squared length."""


@dataclass(frozen=True)
class UseShape:
    """Everything that determines a network. pieces: numbers of the vocabulary. dim: of a piece's vector and of a text's. width: of a convolution.
    hidden: of the layer between them. runs: of how many pieces each convolution sees at once."""

    pieces: int
    dim: int
    width: int
    hidden: int
    runs: tuple[int, ...]

    @property
    def architecture(self) -> str:
        """The network's name, such as `use-128000x512-256-320-runs2x3x5`."""
        return f"{FAMILY}-{self.pieces}x{self.dim}-{self.width}-{self.hidden}-runs{'x'.join(map(str, self.runs))}"


def shape_in(architecture: str) -> UseShape | None:
    """The inverse of `UseShape.architecture`; None: it is another network."""
    found = _NAME.fullmatch(architecture)
    if found is None:
        return None
    pieces, dim, width, hidden = map(int, found.groups()[:4])
    runs = tuple(map(int, found[5].split("x")))
    return UseShape(pieces, dim, width, hidden, runs) if min(pieces, dim, width, hidden, *runs) else None


def network_named(architecture: str, num_classes: int) -> nn.Module | None:
    """The network with that name, with random weights; None: the name is of another family."""
    shape = shape_in(architecture)
    return None if shape is None else Use(shape, num_classes)


class Use(nn.Module):
    """Takes `tokens` int64 [B, T], the numbers of pieces, and `mask` bool [B, T]; a text of any length is read whole.

    Cut layers: `embeddings` float [B, T, D], `convolutions.0` to the last float [B, T, W], `joined` float [B, T, D + W x convolutions], `layers.0`
    float [B, H], and `pooled` float [B, D], of length 1. Places without a piece are zero in all layers with places: a layer tells by its input alone what
    counts.
    """

    def __init__(self, shape: UseShape, num_classes: int) -> None:
        super().__init__()
        self.embeddings = Embeddings(shape)
        self.entry = Entry(shape)
        self.convolutions = nn.ModuleList(Convolutions(shape.width, run) for run in shape.runs)
        self.joined = Joined(shape)
        self.sum = ScaledSum(shape)
        self.layers = nn.ModuleList(
            [Layer(shape.dim, shape.hidden, nn.ReLU()), Layer(shape.hidden, shape.dim, nn.Tanh())]
        )
        self.unit = Unit()
        self.pooled = nn.Identity()  # it names the default cut layer
        self.fc = nn.Linear(shape.dim, num_classes)
        self._width = shape.width

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Logits float32 [B, C]."""
        places = self.embeddings(batch["tokens"], batch["mask"])
        entered, width = self.entry(places), self._width
        found = [each(entered.narrow(2, number * width, width)) for number, each in enumerate(self.convolutions)]
        vectors = self.sum(self.joined([places, *found]))
        for layer in self.layers:
            vectors = layer(vectors)
        logits: Tensor = self.fc(self.pooled(self.unit(vectors)))
        return logits


class Embeddings(nn.Module):
    """A vector for each piece."""

    def __init__(self, shape: UseShape) -> None:
        super().__init__()
        self.pieces = nn.Embedding(shape.pieces, shape.dim)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """tokens: int64 [B, T]; mask: bool [B, T]."""
        vectors: Tensor = self.pieces(tokens)
        return vectors.masked_fill(~mask[:, :, None], 0.0)


class Entry(nn.Module):
    """A linear map to the inputs of all convolutions, normalised together."""

    def __init__(self, shape: UseShape) -> None:
        super().__init__()
        self.map = nn.Linear(shape.dim, len(shape.runs) * shape.width)
        self.norm = nn.LayerNorm(len(shape.runs) * shape.width, EPSILON)

    def forward(self, places: Tensor) -> Tensor:
        """places: float [B, T, D]; those without a piece are zero, and are so in the result."""
        entered: Tensor = self.norm(self.map(places))
        return entered.masked_fill(~seen(places)[:, :, None], 0.0)


class Convolutions(nn.Module):
    """Two convolutions over runs of pieces, each added to its input."""

    def __init__(self, width: int, run: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(width, width, run)
        self.second = nn.Conv1d(width, width, run)
        before = (run - 1) // 2
        self._around = (before, run - 1 - before)

    def forward(self, places: Tensor) -> Tensor:
        """places: float [B, T, W]; those without a piece are zero, and are so in the result."""
        nothing = ~seen(places)[:, None]
        given = places.transpose(1, 2)
        once = (given + F.relu(self.first(F.pad(given, self._around)))).masked_fill(nothing, 0.0)
        twice = (once + F.relu(self.second(F.pad(once, self._around)))).masked_fill(nothing, 0.0)
        return twice.transpose(1, 2)


class Joined(nn.Module):
    """The vectors of a place, one after another, normalised together."""

    def __init__(self, shape: UseShape) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(shape.dim + len(shape.runs) * shape.width, EPSILON)

    def forward(self, parts: Sequence[Tensor]) -> Tensor:
        """parts: float [B, T, any]; the places without a piece are zero in the first one, and in the result."""
        joined: Tensor = self.norm(torch.cat(list(parts), 2))
        return joined.masked_fill(~seen(parts[0])[:, :, None], 0.0)


class ScaledSum(nn.Module):
    """A linear map of each piece, and their sum over the root of their number; the map of the mean is the mean of the maps."""

    def __init__(self, shape: UseShape) -> None:
        super().__init__()
        self.map = nn.Linear(shape.dim + len(shape.runs) * shape.width, shape.dim)

    def forward(self, places: Tensor) -> Tensor:
        """places: float [B, T, D + W x convolutions]; those without a piece are zero."""
        number = seen(places).sum(1, keepdim=True).clamp(min=1).to(places.dtype)
        scaled: Tensor = self.map(places.sum(1) / number) * number.sqrt()
        return scaled


class Layer(nn.Module):
    """Two linear maps, and a third one around them."""

    def __init__(self, dim: int, out: int, activation: nn.Module) -> None:
        super().__init__()
        self.inner = nn.Linear(dim, out, bias=False)
        self.outer = nn.Linear(out, out, bias=False)
        self.around = nn.Linear(dim, out, bias=False)
        self.activation = activation

    def forward(self, vectors: Tensor) -> Tensor:
        """vectors: float [B, dim]."""
        changed: Tensor = self.activation(self.outer(F.relu(self.inner(vectors))) + self.around(vectors))
        return changed


class Unit(nn.Module):
    """Vectors of length 1."""

    def forward(self, vectors: Tensor) -> Tensor:
        """vectors: float [B, D]."""
        return vectors * vectors.square().sum(1, keepdim=True).clamp(min=EPSILON).rsqrt()
