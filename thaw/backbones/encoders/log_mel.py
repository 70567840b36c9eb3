"""Log-mel spectra of prepared sounds, in operations that every engine and ONNX have.

The scale is that of O'Shaughnessy, "Speech Communication", 1987: 2595 log10(1 + f / 700).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, fx

_FLOOR = 1e-4
"""What is added to a power, in parts of the sound's mean power: what lies 40 dB below it is not heard."""
_SILENCE = 1e-10
_MIDDLE, _SPREAD = -3.0, 3.0
"""About the mean and the standard deviation of the logarithms for speech."""
LOWEST_HZ, HIGHEST_HZ = 60.0, 7600.0


@fx.wrap
def log_mel(samples: Tensor, mask: Tensor, bands: int) -> Tensor:
    """Log-mel powers float32 [B, F, bands], about standardised, zero where the mask is; the loudness of a sound does not change them.

    samples: float [B, F, hop], hops of 10 ms; a window is three of them. mask: bool [B, F].
    """
    powers = band_powers(samples.float() * mask[:, :, None], bands)
    return levelled(powers, mask)


def band_powers(samples: Tensor, bands: int) -> Tensor:
    """Mel powers float32 [B, F, bands]."""
    return spectra(samples) @ mel_bank(bands, samples.shape[2]).to(samples.device)


def spectra(samples: Tensor) -> Tensor:
    """Power spectra float32 [B, F, N // 2 + 1] of windows of N = 3 hop samples around each frame."""
    around = F.pad(samples, (0, 0, 1, 1))
    windows = torch.cat([around[:, :-2], around[:, 1:-1], around[:, 2:]], 2)
    size = windows.shape[2]
    windows = windows * torch.hann_window(size, device=samples.device)
    if not torch.compiler.is_exporting():
        found = torch.view_as_real(torch.fft.rfft(windows))
        return found.square().sum(3)
    # Runtimes of ONNX have fast products, and slow transforms.
    angle = torch.outer(torch.arange(size), torch.arange(size // 2 + 1)).remainder(size) * (2 * math.pi / size)
    return (windows @ angle.cos()).square() + (windows @ angle.sin()).square()


def levelled(powers: Tensor, mask: Tensor) -> Tensor:
    """Logarithms of powers [B, F, bands] in parts of the mean over the frames of the mask."""
    number = mask.sum(1).clamp(min=1)[:, None, None] * powers.shape[2]
    mean = powers.masked_fill(~mask[:, :, None], 0.0).sum((1, 2), keepdim=True) / number
    heard = (powers / (mean + _SILENCE) + _FLOOR).log()
    return ((heard - _MIDDLE) / _SPREAD).masked_fill(~mask[:, :, None], 0.0)


def mel_bank(bands: int, hop: int, warp: float = 1.0) -> Tensor:
    """Triangles over the frequencies of `spectra`, float32 [N // 2 + 1, bands], each with the area 1; hop: samples of 10 ms.

    warp: the factor of all frequencies, as of another length of the vocal tract (Jaitly and Hinton, "Vocal Tract Length Perturbation improves speech
    recognition", ICML workshop 2013).
    """
    size = 3 * hop
    hertz = torch.arange(size // 2 + 1) * (100.0 * hop / size)
    lowest, highest = (2595 * math.log10(1 + edge / 700) for edge in (LOWEST_HZ, HIGHEST_HZ))
    edges = warp * 700 * (10 ** (torch.linspace(lowest, highest, bands + 2) / 2595) - 1)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (hertz[:, None] - low) / (centre - low), (high - hertz[:, None]) / (high - centre)
    triangles = torch.minimum(rising, falling).clamp(min=0)
    return triangles / triangles.sum(0).clamp(min=1e-3)
