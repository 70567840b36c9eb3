"""Encoders of wav2vec 2.0, HuBERT and WavLM: convolutions over the samples, and a stack of transformer layers, 50 places a second.

Baevski et al., "wav2vec 2.0: A Framework for Self-Supervised Learning of Speech Representations", NeurIPS 2020, section 2; Hsu et al., "HuBERT", TASLP 2021,
which has the same network; Chen et al., "WavLM", JSTSP 2022, section III-B, with gated relative positions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thaw.backbones.encoders.bert import Attention, seen
from thaw.backbones.encoders.filled_sounds import filled
from thaw.backbones.places import Span, numbers

FAMILY = "wav2vec2"
RATE = 16_000
HOP = 160
WINDOW = 1_500
"""Places that see each other, 30 s: the attention of longer sounds stays within such windows, so they cost in proportion to their length."""
NORMS, ORDERS = ("group", "layer"), ("pre", "post")
_NAME = re.compile(
    rf"{FAMILY}-(\d+)-(\d+)x(\d+)x(\d+)-({'|'.join(NORMS)})-(\d+k\d+s\d+(?:x\d+k\d+s\d+)*)(-bias)?-(\d+)x(\d+)-({'|'.join(ORDERS)})-eps(\d+)"
    r"(?:-relative(\d+)x(\d+))?"
)
_EPSILON = 1e-5


@dataclass(frozen=True)
class Step:
    """One convolution over the samples."""

    channels: int
    kernel: int
    stride: int


@dataclass(frozen=True)
class Relative:
    """Relative positions, as in WavLM: distances up to `distance` places in `buckets` groups, half of them in each direction."""

    buckets: int
    distance: int


@dataclass(frozen=True)
class Wav2Vec2Shape:
    """Everything that determines a network.

    norm: `group`, of the first convolution's channels over time, or `layer`, of each place behind each convolution. bias: of the convolutions. positions and
    groups: of the convolution that tells positions. order: whether the normalisations come `pre` (before) or `post` (behind) the parts of a layer. decimals:
    the normalisations add 10^-decimals to a variance.
    """

    dim: int
    layers: int
    heads: int
    inner: int
    norm: str
    steps: tuple[Step, ...]
    bias: bool
    positions: int
    groups: int
    order: str
    decimals: int
    relative: Relative | None = None

    @property
    def architecture(self) -> str:
        """The network's name, such as `wav2vec2-768-12x12x3072-group-512k10s5x512k3s2-128x16-post-eps5`."""
        steps = "x".join(f"{step.channels}k{step.kernel}s{step.stride}" for step in self.steps)
        relative = f"-relative{self.relative.buckets}x{self.relative.distance}" if self.relative else ""
        return (
            f"{FAMILY}-{self.dim}-{self.layers}x{self.heads}x{self.inner}-{self.norm}-{steps}{'-bias' if self.bias else ''}"
            f"-{self.positions}x{self.groups}-{self.order}-eps{self.decimals}{relative}"
        )

    @property
    def window(self) -> int:
        """The places that see each other."""
        return WINDOW

    @property
    def epsilon(self) -> float:
        """What the normalisations add to a variance."""
        return 10.0**-self.decimals

    def span(self) -> Span | None:
        """The places of every layer in frames of 10 ms; None: they are no whole number of frames apart."""
        size, stride = 1, 1
        for step in self.steps:
            size += (step.kernel - 1) * stride
            stride *= step.stride
        window = -(-size // HOP)
        return None if stride % HOP else Span(window, stride // HOP, window, window)


def shape_in(architecture: str) -> Wav2Vec2Shape | None:
    """The inverse of `Wav2Vec2Shape.architecture`; None: it is another network, or its sizes do not fit each other."""
    found = _NAME.fullmatch(architecture)
    if found is None:
        return None
    steps = tuple(Step(*map(int, re.split("[ks]", step))) for step in found[6].split("x"))
    dim, layers, heads, inner, positions, groups = (int(found[place]) for place in (1, 2, 3, 4, 8, 9))
    relative = Relative(int(found[12]), int(found[13])) if found[12] else None
    sizes = [
        dim,
        layers,
        heads,
        inner,
        positions,
        groups,
        *(min(step.channels, step.kernel, step.stride) for step in steps),
    ]
    if not min(sizes) or dim % heads or dim % groups or (relative and min(relative.buckets, relative.distance) < 4):
        return None
    shape = Wav2Vec2Shape(
        dim,
        layers,
        heads,
        inner,
        found[5],
        steps,
        bool(found[7]),
        positions,
        groups,
        found[10],
        int(found[11]),
        relative,
    )
    return None if shape.span() is None else shape


def network_named(architecture: str, num_classes: int) -> nn.Module | None:
    """The network with that name, with random weights; None: the name is of another family."""
    shape = shape_in(architecture)
    return None if shape is None else Wav2Vec2(shape, num_classes)


class Wav2Vec2(nn.Module):
    """Takes `samples` float32 [B, F, 160], 16 kHz, and `mask` bool [B, F].

    Cut layers, float [B, T, D], every 20 ms: `entry`, the convolutions with positions, `layers.0` to the last, and `hidden`, the default, the last one
    normalised if normalisations come before the parts of a layer. Places that do not lie in a sound are zero in all of them, so a layer tells by its input
    alone what it may see. A sound of less than 30 ms is filled with zeros. WavLM's table of distances, which its layers share, is here each layer's own.
    """

    def __init__(self, shape: Wav2Vec2Shape, num_classes: int) -> None:
        super().__init__()
        span = shape.span()
        assert span is not None, "see shape_in"
        self.entry = Entry(shape, span)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.last = Normalised(shape) if shape.order == "pre" else nn.Identity()
        self.hidden = nn.Identity()  # it names the default cut layer
        self.fc = nn.Linear(shape.dim, num_classes)
        self.spans = dict.fromkeys(("entry", *(f"layers.{number}" for number in range(shape.layers)), "hidden"), span)

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Logits float32 [B, T, C] of each place."""
        places = self.entry(batch["samples"], batch["mask"])
        for layer in self.layers:
            places = layer(places)
        logits: Tensor = self.fc(self.hidden(self.last(places)))
        return logits


class Entry(nn.Module):
    """The convolutions over the samples, a linear map, and positions."""

    def __init__(self, shape: Wav2Vec2Shape, span: Span) -> None:
        super().__init__()
        sizes = [1, *(step.channels for step in shape.steps)]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(given, step.channels, step.kernel, step.stride, bias=shape.bias)
            for given, step in zip(sizes, shape.steps, strict=False)
        )
        first = shape.steps[0]
        self.norms = nn.ModuleList(
            [OverTime(first)] if shape.norm == "group" else [nn.LayerNorm(step.channels) for step in shape.steps]
        )
        self.norm = nn.LayerNorm(sizes[-1], shape.epsilon)
        self.map = nn.Linear(sizes[-1], shape.dim)
        self.positions = nn.Conv1d(
            shape.dim, shape.dim, shape.positions, padding=shape.positions // 2, groups=shape.groups
        )
        self.positions_norm = nn.LayerNorm(shape.dim, shape.epsilon) if shape.order == "post" else nn.Identity()
        self._span, self._of_time = span, shape.norm == "group"
        self._more = 1 - shape.positions % 2

    def forward(self, samples: Tensor, mask: Tensor) -> Tensor:
        """Float [B, T, D]; samples: float [B, F, 160]; mask: bool [B, F]."""
        # Two places or more: an exported graph would be for a single one, or for several.
        frames, length = filled(
            samples, mask, self._span.least, self._span.filled, self._span.window + self._span.stride
        )
        values = frames.flatten(1)[:, None]
        for number, convolution in enumerate(self.convolutions):
            values = convolution(values)
            if not self._of_time:
                values = self.norms[number](values.transpose(1, 2)).transpose(1, 2)
            elif number == 0:
                values = self.norms[0](values, length * HOP)
            values = F.gelu(values)
        mapped = self.map(self.norm(values.transpose(1, 2)))
        nothing = ~self._span.counted(mask, mapped.shape[1])[:, :, None]
        places = mapped.masked_fill(nothing, 0.0)
        told = self.positions(places.transpose(1, 2))
        told = F.gelu(told.narrow(2, 0, mapped.shape[1]) if self._more else told).transpose(1, 2)
        entered: Tensor = self.positions_norm(places + told)
        return entered.masked_fill(nothing, 0.0)


class OverTime(nn.Module):
    """Each channel of the first convolution, normalised over the places whose window lies in the sound; without padding, it is torch's `GroupNorm`."""

    def __init__(self, step: Step) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(step.channels))
        self.bias = nn.Parameter(torch.zeros(step.channels))
        self._step = step

    def forward(self, values: Tensor, samples: Tensor) -> Tensor:
        """values: float [B, C, T]; samples: int64 [B, 1], the length of each sound."""
        there = numbers(values, values.shape[2]) * self._step.stride + self._step.kernel <= samples
        number = there.sum(1)[:, None, None].to(values.dtype)
        nothing = ~there[:, None]
        mean = values.masked_fill(nothing, 0.0).sum(2, keepdim=True) / number
        centred = values - mean
        variance = centred.masked_fill(nothing, 0.0).square().sum(2, keepdim=True) / number
        return centred * (variance + _EPSILON).rsqrt() * self.weight[:, None] + self.bias[:, None]


class Layer(nn.Module):
    """Attention and two linear maps, each added to its input, normalised before or behind."""

    def __init__(self, shape: Wav2Vec2Shape) -> None:
        super().__init__()
        self.attention = Attention(shape) if shape.relative is None else RelativeAttention(shape, shape.relative)
        self.attention_norm = nn.LayerNorm(shape.dim, shape.epsilon)
        self.inner = nn.Linear(shape.dim, shape.inner)
        self.outer = nn.Linear(shape.inner, shape.dim)
        self.norm = nn.LayerNorm(shape.dim, shape.epsilon)
        self._before = shape.order == "pre"

    def forward(self, places: Tensor) -> Tensor:
        """places: float [B, T, D]; those that do not lie in a sound are zero, and stay zero."""
        nothing = ~seen(places)[:, :, None]
        if self._before:
            attended = places + self.attention(self.attention_norm(places).masked_fill(nothing, 0.0))
            vectors: Tensor = attended + self._changed(self.norm(attended))
        else:
            attended = self.attention_norm(places + self.attention(places))
            vectors = self.norm(attended + self._changed(attended))
        return vectors.masked_fill(nothing, 0.0)

    def _changed(self, places: Tensor) -> Tensor:
        changed: Tensor = self.outer(F.gelu(self.inner(places)))
        return changed


class RelativeAttention(Attention):
    """Attention within each window, with a bias by the distance of two places, gated by the first one."""

    def __init__(self, shape: Wav2Vec2Shape, relative: Relative) -> None:
        super().__init__(shape)
        self.distances = nn.Embedding(relative.buckets, shape.heads)
        self.gates = nn.Linear(shape.dim // shape.heads, 8)
        self.scales = nn.Parameter(torch.ones(shape.heads))
        self._relative = relative

    def bias(self, there: Tensor, known: Tensor) -> Tensor:
        """See `Attention`."""
        size = there.shape[1]
        by_head = there.unflatten(2, (self.heads, -1)).transpose(1, 2)  # [N, H, K, D / H]
        first, second = self.gates(by_head).unflatten(3, (2, 4)).sum(4).sigmoid().unbind(3)
        gate: Tensor = first * (second * self.scales[:, None] - 1.0) + 2.0
        place = numbers(there, size)
        by_distance: Tensor = self.distances(self._bucket(place[None] - place[:, None])).permute(2, 0, 1)
        hidden = torch.where(self.visible(known), 0.0, -torch.inf).to(there.dtype)
        return gate[:, :, :, None] * by_distance + hidden

    def _bucket(self, distance: Tensor) -> Tensor:
        """The group of each distance, int64: near distances alone, far ones in groups that grow."""
        half = self._relative.buckets // 2
        near, far = half // 2, distance.abs()
        grown = (far.clamp(min=1).float() / near).log() / math.log(self._relative.distance / near) * (half - near)
        group = torch.where(far < near, far, (near + grown).long().clamp(max=half - 1))
        return group + (distance > 0).long() * half


class Normalised(nn.Module):
    """The normalisation behind the last layer."""

    def __init__(self, shape: Wav2Vec2Shape) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(shape.dim, shape.epsilon)

    def forward(self, places: Tensor) -> Tensor:
        """places: float [B, T, D]; those that do not lie in a sound are zero, and stay zero."""
        vectors: Tensor = self.norm(places)
        return vectors.masked_fill(~seen(places)[:, :, None], 0.0)
