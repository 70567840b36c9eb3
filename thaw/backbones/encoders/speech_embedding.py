"""Google's speech embedding: convolutions over a log-mel spectrogram, 96 numbers every 80 ms.

Lin et al., "Training Keyword Spotters with Limited and Synthesized Speech Data", ICASSP 2020, section 3. The published weights were trained to tell 5,000
keywords apart in short clips of many speakers; they were not trained on transcripts. The clips themselves are not published.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thaw.backbones.encoders.filled_sounds import filled
from thaw.backbones.encoders.mel_bands import mel_bands
from thaw.backbones.places import Span, numbers

FAMILY = "speech_embedding"
LOCAL = f"{FAMILY}-local"
"""The same tensors with a front end that sees no more than a place's own window."""
RATE = 16_000
DIM = 96
_HOP = 160
_SIZE = 512
"""Samples of the Fourier transform, whose window lies in their middle."""
_WINDOW = 400
EDGE = (_SIZE - _WINDOW) // 2
"""Samples before the window, and behind it."""
_FRAMES = math.ceil(_SIZE / _HOP)
"""Frames of samples that one place of the spectrogram is computed from."""
_MELS = 32
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 3_800.0
BINS = range(math.ceil(_LOWEST_HZ * _SIZE / RATE), math.floor(_HIGHEST_HZ * _SIZE / RATE) + 1)
"""The numbers of the frequencies that any band has."""
_LEAST_POWER = 1e-10
_PLACES = 76
"""Places of the spectrogram that one place of the result is computed from."""
LEAST = _PLACES + _FRAMES - 1
"""Frames of the shortest sound that is taken as it is, 0.79 s."""
FILLED = LEAST + 72
"""Frames of a shorter sound with the zeros around it, which make ten places of the result."""


@dataclass(frozen=True)
class _Stack:
    """Convolutions one after another, then the maximum over `halved` = (time, frequency) places. kernels: of the convolutions, (time, frequency)."""

    channels: int
    kernels: Sequence[tuple[int, int]]
    halved: tuple[int, int]


_ALTERNATING = ((1, 3), (3, 1), (1, 3), (3, 1))
_STACKS = (
    _Stack(24, ((3, 3), (1, 3), (3, 1)), (2, 2)),
    _Stack(48, _ALTERNATING, (1, 2)),
    _Stack(72, _ALTERNATING, (2, 2)),
    _Stack(96, _ALTERNATING, (1, 2)),
    _Stack(96, _ALTERNATING, (2, 2)),
)
_LAST = 3
"""Places of the last convolution over time."""


def network_named(architecture: str, num_classes: int) -> nn.Module | None:
    """The network with that name, with random weights; None: the name is of another family."""
    floors = {FAMILY: RaisedToSound, LOCAL: Unraised}
    return SpeechEmbedding(num_classes, floors[architecture]()) if architecture in floors else None


class SpeechEmbedding(nn.Module):
    """Takes `samples` float32 [B, F, 160], 16 kHz from -1 to 1, and `mask` bool [B, F]; a sound of any length is read whole.

    Cut layers, each float [B, T, D]: `log_mel` (D = 32, every 10 ms), `blocks.0` and `blocks.1` (384, every 20 ms), `blocks.2` (288) and `blocks.3` (192, every
    40 ms), `blocks.4` (96) and `embedding` (96, every 80 ms). Nothing is padded within the network, so a place of `embedding` is computed from 76 places of the
    spectrogram, and is the same in a window of these alone. A sound that is shorter than such a window, 0.79 s, stands in the middle of 1.51 s of silence,
    whose places count too. `spans` has the places of each layer.

    floor: what raises the spectrogram's least values. With `RaisedToSound`, as published, they depend on the whole sound; with `Unraised` the features of a
    stream are those of the whole sound, whatever comes later.
    """

    micro_batch: ClassVar[int] = 2
    """The number of sounds in a pass on a CPU core: their maps fit into the cache."""

    def __init__(self, num_classes: int, floor: nn.Module) -> None:
        super().__init__()
        self.log_mel = LogMel(floor)
        sizes = [1, *(stack.channels for stack in _STACKS)]
        self.blocks = nn.ModuleList(Block(channels, stack) for channels, stack in zip(sizes, _STACKS, strict=False))
        self.last = Last(sizes[-1], DIM)
        self.embedding = nn.Identity()  # it names the default cut layer
        self.fc = nn.Linear(DIM, num_classes)
        self.spans = _spans()
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, 0.2)

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Logits float32 [B, T, C] of each place."""
        logits: Tensor = self.fc(self.places(batch))
        return logits

    def places(self, batch: Mapping[str, Tensor]) -> Tensor:
        """The places of `embedding`, float [B, T, 96]."""
        places = self.log_mel(batch["samples"], batch["mask"])
        for block in self.blocks:
            places = block(places)
        embedded: Tensor = self.embedding(self.last(places))
        return embedded


class LogMel(nn.Module):
    """The logarithms of the power in 32 bands, between 60 and 3,800 Hz on Slaney's scale, with a Hann window of 25 ms; the bands have the same area."""

    waves: Tensor
    bands: Tensor

    def __init__(self, floor: nn.Module) -> None:
        super().__init__()
        self.floor = floor
        bins = torch.arange(BINS.start, BINS.stop)
        self.register_buffer("waves", _waves(bins).float())
        self.register_buffer("bands", mel_bands(bins * (RATE / _SIZE), _MELS, _LOWEST_HZ, _HIGHEST_HZ).float())

    def forward(self, samples: Tensor, mask: Tensor) -> Tensor:
        """Float [B, max(F, 151) - 3, 32]; samples: float [B, F, 160]; mask: bool [B, F]."""
        frames, length = filled(samples, mask, LEAST, FILLED, FILLED)
        whole = torch.cat([frames[:, :-3, EDGE:], frames[:, 1:-2], frames[:, 2:-1, : _WINDOW + EDGE - 2 * _HOP]], 2)
        real, imaginary = (whole @ self.waves).chunk(2, 2)
        logarithm = ((real.square() + imaginary.square()) @ self.bands).clamp(min=_LEAST_POWER).log10()
        raised: Tensor = self.floor(logarithm, length)
        return raised + 2.0


class RaisedToSound(nn.Module):
    """Powers that are more than 80 dB below a sound's largest one are raised to that, as librosa's `power_to_db` does."""

    _RANGE = 8.0

    def forward(self, logarithm: Tensor, length: Tensor) -> Tensor:
        """logarithm: float [B, T, bands], to the base 10; length: int64 [B, 1], frames of each sound."""
        there = numbers(logarithm, logarithm.shape[1])[None] <= length - _FRAMES
        largest = logarithm.masked_fill(~there[:, :, None], -torch.inf).amax((1, 2), keepdim=True)
        return torch.maximum(logarithm, largest - self._RANGE)


class Unraised(nn.Module):
    """No power is raised."""

    def forward(self, logarithm: Tensor, length: Tensor) -> Tensor:
        """See `RaisedToSound`."""
        del length
        return logarithm


class Block(nn.Module):
    """The convolutions and the maximum of a stack."""

    def __init__(self, channels: int, stack: _Stack) -> None:
        super().__init__()
        sizes = [channels, *[stack.channels] * len(stack.kernels)]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(given, stack.channels, kernel, padding=(0, kernel[1] // 2))
            for given, kernel in zip(sizes, stack.kernels, strict=False)
        )
        self._channels, self._halved = channels, stack.halved

    def forward(self, places: Tensor) -> Tensor:
        """Float [B, T', bands' x channels']; places: float [B, T, bands x channels], with the channels of a band one after another."""
        maps = places.unflatten(2, (-1, self._channels)).permute(0, 3, 1, 2)
        for convolution in self.convolutions:
            maps = F.leaky_relu(convolution(maps), 0.2).clamp(min=-0.4)
        return F.max_pool2d(maps, self._halved).permute(0, 2, 3, 1).flatten(2)


class Last(nn.Module):
    """A convolution over time."""

    def __init__(self, channels: int, dim: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels, dim, (_LAST, 1), bias=False)

    def forward(self, places: Tensor) -> Tensor:
        """Float [B, T - 2, dim]; places: float [B, T, channels]."""
        found: Tensor = self.convolution(places.transpose(1, 2)[:, :, :, None])
        return found[:, :, :, 0].transpose(1, 2)


def _spans() -> dict[str, Span]:
    window, stride = _FRAMES, 1
    spans = {"log_mel": Span(window, stride, LEAST, FILLED)}
    for number, stack in enumerate(_STACKS):
        window += stride * (sum(kernel[0] - 1 for kernel in stack.kernels) + stack.halved[0] - 1)
        stride *= stack.halved[0]
        spans[f"blocks.{number}"] = Span(window, stride, LEAST, FILLED)
    window += stride * (_LAST - 1)
    return {**spans, "embedding": Span(window, stride, LEAST, FILLED)}


def _waves(bins: Tensor) -> Tensor:
    """Cosines and sines under the window, float64 [400, 2 x bins]; bins: int64, numbers of frequencies."""
    place = torch.arange(_WINDOW, dtype=torch.float64)
    angle = 2 * math.pi / _SIZE * (place + EDGE)[:, None] * bins
    return torch.hann_window(_WINDOW, dtype=torch.float64)[:, None] * torch.cat([angle.cos(), angle.sin()], 1)
