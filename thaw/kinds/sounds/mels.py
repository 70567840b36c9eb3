"""Mel spectra and cepstra of prepared sounds, for pages and for features without a backbone; networks have front ends of their own."""

import math
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from thaw.kinds.sounds.framed import hop_of

REACH = 2
"""Frames of 10 ms behind its own that a window of 25 ms reaches into."""
_FAINT = 1e-6
"""What is added to a power before its logarithm: about the last of 16 bits."""


def log_mels(samples: Tensor, rate: int, bands: int) -> Tensor:
    """The natural logarithm of the power in each mel band: float32 [B, F, bands].

    samples: float32 [B, F, hop]. Hann windows of 25 ms that begin at each frame of 10 ms; triangular bands of equal width on the mel scale of O'Shaughnessy
    ("Speech Communication", 1987), as in HTK, from 20 Hz to half the rate. It is one convolution over frames, so that it exports for any length.
    """
    basis, weights = _basis(rate), _bands(rate, bands)
    frames = F.pad(samples.transpose(1, 2), (0, REACH))
    parts = F.conv1d(frames, torch.from_numpy(basis).to(samples.device))
    real, imaginary = parts.chunk(2, 1)
    power = (real.square() + imaginary.square()).transpose(1, 2)
    return torch.log(power @ torch.from_numpy(weights).to(samples.device) + _FAINT)


def cepstra(log_mels: Tensor, count: int) -> Tensor:
    """The first `count` mel-frequency cepstral coefficients, [B, F, count]: the orthonormal cosine transform (DCT-II) of `log_mels`."""
    return log_mels @ torch.from_numpy(_cosines(log_mels.shape[2], count)).to(log_mels.device)


@cache
def _basis(rate: int) -> NDArray[np.float32]:
    """Cosines, and below them sines, of the frequencies of a Fourier transform, under a Hann window: float32 [2 x bins, hop, 3]."""
    hop, length = hop_of(rate), rate // 40
    size = 2 ** math.ceil(math.log2(length))
    times, bins = np.arange(length), np.arange(size // 2 + 1)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * times / length)
    angles = 2 * np.pi * bins[:, None] * times / size
    waves = np.concatenate([np.cos(angles), -np.sin(angles)]) * window
    padded = np.pad(waves, ((0, 0), (0, (1 + REACH) * hop - length)))
    return np.ascontiguousarray(padded.reshape(-1, 1 + REACH, hop).transpose(0, 2, 1), np.float32)


@cache
def _bands(rate: int, bands: int) -> NDArray[np.float32]:
    """The weight of each frequency in each band: float32 [bins, bands]."""
    size = 2 ** math.ceil(math.log2(rate // 40))
    frequencies = np.arange(size // 2 + 1) * rate / size
    edges = np.linspace(_mel(20.0), _mel(rate / 2), bands + 2)
    places = _mel(frequencies)[:, None]
    rising = (places - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - places) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


@cache
def _cosines(bands: int, count: int) -> NDArray[np.float32]:
    places = np.pi / bands * (np.arange(bands)[:, None] + 0.5) * np.arange(count)
    scale = np.where(np.arange(count) == 0, math.sqrt(1 / bands), math.sqrt(2 / bands))
    transform: NDArray[np.float32] = (np.cos(places) * scale).astype(np.float32)
    return transform


def _mel(hertz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    return 2595 * np.log10(1 + np.asarray(hertz) / 700)
