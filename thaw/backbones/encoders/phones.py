"""A convolutional network that is pretrained to hear phones: the embedded default of sounds.

Blocks of a convolution and a product with a residual connection are those of QuartzNet's kind (Kriman et al., ICASSP 2020), without a batch's statistics.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from thaw.backbones.encoders.log_mel import log_mel

FAMILY = "phones"
_SIZE = re.compile(rf"{FAMILY}-([1-9]\d*)x([1-9]\d*)x([1-9]\d*)(?:x([1-9]\d*))?")
PARTS = 3
"""The parts of the time whose means are the features."""
STRIDE = 2
SILENCE = 0.1
"""The time that a place without a phone takes, in parts of that of a place with one."""
_MAPS = 16


def architecture_of(bands: int, dim: int, blocks: int, summary: int) -> str:
    """The name of a network, such as `phones-48x160x6x192`; `phones-48x160x6` is the same without a summary."""
    return f"{FAMILY}-{bands}x{dim}x{blocks}x{summary}"


def network_named(architecture: str, num_classes: int) -> nn.Module | None:
    """The network with that name, with random weights; None: the name is of another family, or its bands are no multiple of 4."""
    found = _SIZE.fullmatch(architecture)
    if found is None or int(found[1]) % 4:
        return None
    bands, dim, blocks = (int(number) for number in found.groups()[:3])
    return PhoneNetwork(bands, dim, blocks, num_classes, summary=int(found[4]) if found[4] else None)


class PhoneNetwork(nn.Module):
    """Takes `samples` float [B, F, hop] and `mask` bool [B, F], frames of 10 ms.

    Cut layers: `stem` and `layers.0` to the last, float [B, ceil(F / 2), D], places of 20 ms, `pooled` float [B, 3 D], the means of three thirds of the
    time in which something is heard, and `summary` float [B, S], what the network learnt to say of the whole sound; without one (None) `pooled` is the last.
    Padding is zero in the layers with places, so a layer tells by its input alone what is there, and the network can be split between any two layers.
    """

    def __init__(self, bands: int, dim: int, blocks: int, num_classes: int, *, summary: int | None = None) -> None:
        super().__init__()
        self.stem = Stem(bands, dim)
        self.layers = nn.ModuleList(Layer(dim, 2 ** (number // 2)) for number in range(blocks))
        self.norm = nn.LayerNorm(dim)
        self.pool = MeansOfParts(dim)
        self.pooled = nn.Identity()  # it names a cut layer
        self.summary = None if summary is None else nn.Linear(PARTS * dim, summary)
        self.fc = nn.Linear(summary or PARTS * dim, num_classes)

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Logits float32 [B, C]."""
        logits: Tensor = self.fc(self.summarised(self.pooled(self.pool(self.places(batch)))))
        return logits

    def summarised(self, pooled: Tensor) -> Tensor:
        """The last layer, float [B, S] or [B, 3 D], of `pooled`."""
        return pooled if self.summary is None else self.summary(pooled)

    def places(self, batch: Mapping[str, Tensor]) -> Tensor:
        """The normalised output of the last layer, float [B, T, D]."""
        return self.after_stem(self.stem(batch["samples"], batch["mask"]))

    def after_stem(self, places: Tensor) -> Tensor:
        """The normalised output of the last layer, of that of the stem."""
        for layer in self.layers:
            places = layer(places)
        normal: Tensor = self.norm(places)
        return normal.masked_fill(~seen(places)[:, :, None], 0.0)


class Stem(nn.Module):
    """Log-mel spectra, two convolutions over time and frequency, and a product."""

    def __init__(self, bands: int, dim: int) -> None:
        super().__init__()
        self.bands = bands
        self.first = nn.Conv2d(1, _MAPS, 3, stride=2, padding=1)
        self.second = nn.Conv2d(_MAPS, 2 * _MAPS, 3, stride=(1, 2), padding=1)
        self.joined = nn.Linear(2 * _MAPS * bands // 4, dim)
        self.norm = nn.LayerNorm(dim)

    def forward(self, samples: Tensor, mask: Tensor) -> Tensor:
        """Places float [B, ceil(F / 2), D]; a place is there if one of its frames is."""
        samples, mask = lengthened(samples), lengthened(mask)
        return self.of_bands(log_mel(samples, mask, self.bands), mask)

    def of_bands(self, bands: Tensor, mask: Tensor) -> Tensor:
        """The same of log-mel spectra float32 [B, F, bands]."""
        maps = F.relu(halved(bands[:, None], self.first.weight, self.first.bias))
        there = every_second(mask, 1)
        maps = F.relu(self.second(maps * there[:, None, :, None].to(maps.dtype)))
        places: Tensor = self.norm(self.joined(maps.transpose(1, 2).flatten(2)))
        return places.masked_fill(~there[:, :, None], 0.0)


@fx.wrap
def halved(maps: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A convolution with the stride 2 over time and frequency: float [B, M, ceil(T / 2), ceil(C / 2)]; maps: float32 [B, N, T, C]."""
    given = maps.to(weight.dtype)
    if torch.compiler.is_exporting():
        # An export does not see that a convolution with a stride has as many places as the mask.
        return every_second(F.conv2d(given, weight, bias, (1, 2), 1), 2)
    return F.conv2d(given, weight, bias, STRIDE, 1)


@fx.wrap
def lengthened(frames: Tensor) -> Tensor:
    """Frames [B, F, ...], in an export with one of padding more: it then has two places or more, as an export supposes of any length."""
    return torch.cat([frames, torch.zeros_like(frames[:, :1])], 1) if torch.compiler.is_exporting() else frames


@fx.wrap
def every_second(tensor: Tensor, dim: int) -> Tensor:
    """Places 0, 2, 4 and so on of a dimension."""
    # The bounds of a slice with a step are conditions that an export cannot decide.
    return tensor.index_select(dim, torch.arange(0, tensor.shape[dim], STRIDE, device=tensor.device))


class Layer(nn.Module):
    """A normalised input through a convolution of three places over time and a product, added to the input."""

    def __init__(self, dim: int, dilation: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.along = nn.Conv1d(dim, dim, 3, padding=dilation, dilation=dilation)
        self.across = nn.Linear(dim, dim)

    def forward(self, places: Tensor) -> Tensor:
        """places: float [B, T, D]; padding is zero, and stays zero."""
        absent = ~seen(places)[:, :, None]
        normal = self.norm(places).masked_fill(absent, 0.0)
        along = self.along(normal.transpose(1, 2)).transpose(1, 2).contiguous()  # an export cannot flatten it otherwise
        changed: Tensor = self.across(F.relu(along))
        return places + changed.masked_fill(absent, 0.0)


class MeansOfParts(nn.Module):
    """The means of equal parts of the time; a place on a border counts in both parts, by its shares. Silence takes little time.

    Tensors: `weight` float32 [D] and `bias` float32 [1] of the logarithmic odds that a place holds a phone.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.zeros(dim)), nn.Parameter(torch.zeros(1))

    def forward(self, places: Tensor) -> Tensor:
        """Float [B, 3 D]; places: float [B, T, D], zero where there is none."""
        times = (self.presence(places).sigmoid() + SILENCE) * seen(places).to(places.dtype)
        return (shares(times.float(), PARTS).to(places.dtype) @ places).flatten(1)

    def presence(self, places: Tensor) -> Tensor:
        """The logarithmic odds that a place holds a phone: float [B, T]."""
        return F.linear(places, self.weight[None], self.bias)[:, :, 0]


@fx.wrap
def shares(weights: Tensor, parts: int) -> Tensor:
    """The weights of places in the means of equal parts of the time, float32 [B, parts, T], which add to 1 in each part.

    weights: float32 [B, T], the time that each place takes.
    """
    ends = weights.cumsum(1)
    whole = ends[:, -1:].clamp(min=1e-6)
    begins, ends = ((ends - weights) / whole)[:, None], (ends / whole)[:, None]
    part = torch.arange(parts, device=weights.device)[None, :, None].float() / parts
    return (torch.minimum(ends, part + 1 / parts) - torch.maximum(begins, part)).clamp(min=0) * parts


def seen(places: Tensor) -> Tensor:
    """Whether a place is there: bool [B, T]; places: float [B, T, D], zero in all dimensions if it is not."""
    return (places != 0).any(2)
