"""What happens to clean speech before a network hears it: rooms, channels, noise, other voices, and other vocal tracts, each drawn for each sound.

All of it acts on power spectra. A room adds the powers that came before, falling exponentially: the model of late reverberation of Lebart, Boucher and
Denbigh, "A new method based on spectral subtraction for speech dereverberation", Acta Acustica 2001. At the end bands and times are hidden: Park et al.,
"SpecAugment", Interspeech 2019.
"""

import math
from functools import cache

import torch
from torch import Tensor

from thaw.backbones.encoders.log_mel import levelled, mel_bank, spectra

WARPS = tuple(0.94 + 0.03 * step for step in range(5))
"""Of the frequencies; little, because a teacher hears the voice as it is."""
_HZ = 100.0 / 3
"""The distance of two frequencies of a spectrum."""


def heard(samples: Tensor, mask: Tensor, bands: int, chance: torch.Generator) -> Tensor:
    """Log-mel spectra float32 [B, F, bands] of clean sounds, as `log_mel` gives them, in random surroundings.

    samples: float32 [B, F, hop]; mask: bool [B, F].
    """
    powers = spectra(samples) * mask[:, :, None]
    powers = _with_others(_in_room(powers, chance), mask, chance)
    powers = _through_channel(_with_noise(powers, mask, chance), chance)
    warps = torch.randint(len(WARPS), (len(powers),), generator=chance)
    found = levelled(torch.bmm(powers, _banks(bands, samples.shape[2])[warps]), mask)
    return _with_holes(found, chance)


@cache
def _banks(bands: int, hop: int) -> Tensor:
    return torch.stack([mel_bank(bands, hop, warp) for warp in WARPS])


def _uniform(count: int, low: float, high: float, chance: torch.Generator) -> Tensor:
    """[B, 1, 1]."""
    return low + (high - low) * torch.rand(count, 1, 1, generator=chance)


def _some(count: int, share: float, chance: torch.Generator) -> Tensor:
    return (torch.rand(count, 1, 1, generator=chance) < share).float()


def _in_room(powers: Tensor, chance: torch.Generator) -> Tensor:
    """With late reverberation: 60 dB in 0.1 to 0.8 s, and 0 to 20 dB below the direct sound in all."""
    count, frames, _ = powers.shape
    ratio = 10 ** (-6 * 0.01 / _uniform(count, 0.1, 0.8, chance))
    share = 10 ** (-_uniform(count, 0.0, 20.0, chance) / 10) * _some(count, 0.6, chance)
    distance = (torch.arange(frames)[:, None] - torch.arange(frames))[None]
    kernel = share * (1 - ratio) / ratio * ratio ** distance.clamp(min=1) * (distance > 0)
    return powers + torch.bmm(kernel, powers)


def _mean(powers: Tensor, mask: Tensor) -> Tensor:
    return powers.sum((1, 2), keepdim=True) / (mask.sum(1)[:, None, None] * powers.shape[2])


def _with_others(powers: Tensor, mask: Tensor, chance: torch.Generator) -> Tensor:
    """With the voices of another sound of the batch, 5 to 25 dB below."""
    share = 10 ** (-_uniform(len(powers), 5.0, 25.0, chance) / 10) * _some(len(powers), 0.25, chance)
    own = _mean(powers, mask)
    other = (powers / (own + 1e-10)).roll(1, 0)
    return powers + share * own * other


def _with_noise(powers: Tensor, mask: Tensor, chance: torch.Generator) -> Tensor:
    """With steady noise, 5 to 45 dB below, which falls by up to 9 dB an octave."""
    count, _, bins = powers.shape
    octaves = (torch.arange(bins).clamp(min=1) * _HZ / 1000).log2()
    colour = 10 ** (-_uniform(count, -2.0, 9.0, chance) * octaves.clamp(min=-3) / 10)
    colour = colour / colour.mean(2, keepdim=True)
    level = _mean(powers, mask) * 10 ** (-_uniform(count, 5.0, 45.0, chance) / 10)
    # The power of Gaussian noise in one frequency has an exponential distribution.
    drawn = -torch.rand(powers.shape, generator=chance).clamp(min=1e-9).log()
    return powers + level * colour * drawn


def _through_channel(powers: Tensor, chance: torch.Generator) -> Tensor:
    """Through a microphone or a telephone: a slope of up to 4 dB an octave, a wave over the octaves, and limits of the band."""
    count, _, bins = powers.shape
    hertz = (torch.arange(bins).clamp(min=1) * _HZ)[None, None]
    octaves = (hertz / 1000).log2()
    decibels = _uniform(count, -4.0, 4.0, chance) * octaves.clamp(min=-4)
    turn = _uniform(count, 0.0, 2 * math.pi, chance)
    decibels = decibels + _uniform(count, 0.0, 5.0, chance) * (octaves * _uniform(count, 0.5, 2.5, chance) + turn).sin()
    highest = _uniform(count, 3200.0, 4400.0, chance)
    decibels = decibels - _some(count, 0.5, chance) * ((hertz - highest) / 150 * 10).clamp(0, 70)
    lowest = _uniform(count, 80.0, 350.0, chance)
    decibels = decibels - _some(count, 0.3, chance) * ((lowest - hertz) / 50 * 6).clamp(0, 40)
    return powers * 10 ** (decibels / 10)


def _with_holes(found: Tensor, chance: torch.Generator) -> Tensor:
    """With up to two bands and one time hidden, in most sounds."""
    count, frames, bands = found.shape
    found = found * _outside(bands, 7, count, chance)[:, None] * _outside(bands, 7, count, chance)[:, None]
    return found * _outside(frames, 8, count, chance)[:, :, None]


def _outside(size: int, most: int, count: int, chance: torch.Generator) -> Tensor:
    """0 in a random range of at most `most` places, and 1 elsewhere: float32 [B, size]."""
    width = torch.randint(most + 1, (count, 1), generator=chance)
    begin = (torch.rand(count, 1, generator=chance) * (size - width)).long()
    place = torch.arange(size)
    return 1.0 - ((place >= begin) & (place < begin + width)).float()
