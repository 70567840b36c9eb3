"""Whisper's encoder: a log-mel spectrogram of 30 s, two convolutions, and a stack of transformer layers, 50 places a second.

Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", ICML 2023, section 2.2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thaw.backbones.encoders.mel_bands import mel_bands
from thaw.backbones.places import Span, numbers

FAMILY = "whisper"
RATE = 16_000
_NAME = re.compile(rf"{FAMILY}-(\d+)-(\d+)x(\d+)x(\d+)-(\d+)mel")
_HOP, _SIZE = 160, 400
_FRAMES = 3_000
"""Frames of a window: 30 s."""
PLACES = _FRAMES // 2
_LEAST_POWER, _RANGE = 1e-10, 8.0


@dataclass(frozen=True)
class WhisperShape:
    """Everything that determines a network."""

    dim: int
    layers: int
    heads: int
    inner: int
    mels: int

    @property
    def architecture(self) -> str:
        """The network's name, such as `whisper-384-4x6x1536-80mel`."""
        return f"{FAMILY}-{self.dim}-{self.layers}x{self.heads}x{self.inner}-{self.mels}mel"


def shape_in(architecture: str) -> WhisperShape | None:
    """The inverse of `WhisperShape.architecture`; None: it is another network, or its heads do not divide its dimensions."""
    found = _NAME.fullmatch(architecture)
    if found is None:
        return None
    shape = WhisperShape(*map(int, found.groups()))
    sizes = (shape.dim, shape.layers, shape.heads, shape.inner, shape.mels)
    return None if not min(sizes) or shape.dim % shape.heads else shape


def network_named(architecture: str, num_classes: int) -> nn.Module | None:
    """The network with that name, with random weights; None: the name is of another family."""
    shape = shape_in(architecture)
    return None if shape is None else Whisper(shape, num_classes)


class Whisper(nn.Module):
    """Takes `samples` float32 [B, F, 160], 16 kHz from -1 to 1, and `mask` bool [B, F]; a longer sound is read in windows of 30 s, one after another.

    Cut layers, float [B, T, D], every 20 ms: `entry`, the convolutions with positions, `layers.0` to the last, and `hidden`, the last one normalised, which is
    the default. As in training, a window is filled with silence to 30 s, which its places see; only the places that begin in the sound count.
    """

    def __init__(self, shape: WhisperShape, num_classes: int) -> None:
        super().__init__()
        self.log_mel = LogMel(shape.mels)
        self.entry = Entry(shape)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.last = nn.LayerNorm(shape.dim)
        self.hidden = nn.Identity()  # it names the default cut layer
        self.fc = nn.Linear(shape.dim, num_classes)
        span = Span(window=1, stride=2, least=0, filled=0)
        self.spans = dict.fromkeys(("entry", *(f"layers.{number}" for number in range(shape.layers)), "hidden"), span)

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Logits float32 [B, T, C] of each place."""
        places = self.entry(self.log_mel(batch["samples"], batch["mask"]))
        for layer in self.layers:
            places = layer(places)
        logits: Tensor = self.fc(self.hidden(self.last(places)))
        return logits


class LogMel(nn.Module):
    """The logarithms of the power in bands up to 8 kHz; powers more than 80 dB below a window's largest one are raised to that."""

    bands: Tensor
    hann: Tensor

    def __init__(self, mels: int) -> None:
        super().__init__()
        self.register_buffer(
            "bands", mel_bands(torch.arange(_SIZE // 2 + 1) * (RATE / _SIZE), mels, 0.0, RATE / 2).float()
        )
        self.register_buffer("hann", torch.hann_window(_SIZE))

    def forward(self, samples: Tensor, mask: Tensor) -> Tensor:
        """Float [B, W, mels, 3000] of W windows; samples: float [B, F, 160]; mask: bool [B, F]."""
        sounds, frames = mask.shape[0], mask.shape[1]
        windows = (frames + _FRAMES - 1) // _FRAMES
        number = numbers(samples, windows * _FRAMES)
        heard = samples.masked_fill(~mask[:, :, None], 0.0)[:, number.clamp(max=frames - 1)]
        whole = heard.masked_fill((number >= frames)[:, None], 0.0).reshape(sounds * windows, _FRAMES * _HOP)
        spectrum = torch.stft(whole, _SIZE, _HOP, window=self.hann, return_complex=True)[:, :, :-1]
        power = spectrum.real.square() + spectrum.imag.square()
        logarithm = (self.bands.T @ power).clamp(min=_LEAST_POWER).log10()
        raised = torch.maximum(logarithm, logarithm.amax((1, 2), keepdim=True) - _RANGE)
        spectra: Tensor = ((raised + 4.0) / 4.0).unflatten(0, (sounds, windows))
        return spectra


class Entry(nn.Module):
    """Two convolutions, and a vector for each position in a window."""

    def __init__(self, shape: WhisperShape) -> None:
        super().__init__()
        self.first = nn.Conv1d(shape.mels, shape.dim, 3, padding=1)
        self.second = nn.Conv1d(shape.dim, shape.dim, 3, stride=2, padding=1)
        self.positions = nn.Embedding(PLACES, shape.dim)

    def forward(self, spectrum: Tensor) -> Tensor:
        """Float [B, 1500 W, D]; spectrum: float [B, W, mels, 3000]."""
        found = F.gelu(self.second(F.gelu(self.first(spectrum.flatten(0, 1)))))
        places = found.transpose(1, 2) + self.positions.weight
        joined: Tensor = places.unflatten(0, spectrum.shape[:2]).flatten(1, 2)
        return joined


class Layer(nn.Module):
    """Attention within each window and two linear maps, each added to its input, normalised before."""

    def __init__(self, shape: WhisperShape) -> None:
        super().__init__()
        self.attention = Attention(shape)
        self.attention_norm = nn.LayerNorm(shape.dim)
        self.inner = nn.Linear(shape.dim, shape.inner)
        self.outer = nn.Linear(shape.inner, shape.dim)
        self.norm = nn.LayerNorm(shape.dim)

    def forward(self, places: Tensor) -> Tensor:
        """places: float [B, 1500 W, D]."""
        attended = places + self.attention(self.attention_norm(places))
        changed: Tensor = attended + self.outer(F.gelu(self.inner(self.norm(attended))))
        return changed


class Attention(nn.Module):
    """Attention in which every place of a window sees every other one, silence as well."""

    def __init__(self, shape: WhisperShape) -> None:
        super().__init__()
        self.queries_keys_values = nn.Linear(shape.dim, 3 * shape.dim)
        self.joined = nn.Linear(shape.dim, shape.dim)
        self._heads = shape.heads

    def forward(self, places: Tensor) -> Tensor:
        """places: float [B, 1500 W, D]."""
        windows = self.queries_keys_values(places).unflatten(1, (-1, PLACES)).flatten(0, 1)
        queries, keys, values = windows.unflatten(2, (3, self._heads, -1)).permute(2, 0, 3, 1, 4).unbind()
        found = F.scaled_dot_product_attention(queries, keys, values).transpose(1, 2).flatten(2)
        joined: Tensor = self.joined(found.reshape(places.shape))
        return joined
