"""Changes of sounds: speeds, noise, loudness and shifts in time."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from thaw.kinds.batches import Batch, mapping_of
from thaw.kinds.kind import View
from thaw.kinds.sounds.decoding import Wave, resampled
from thaw.kinds.sounds.framed import MASK, SAMPLES

SPEEDS = {"slower": 0.9, "faster": 1.1}
"""Ko et al., "Audio Augmentation for Speech Recognition", Interspeech 2015, section 2.1."""
NOISY = "noisy"
SURROUNDED = "surrounded"
"""With silence before and behind the sound, as in recordings of a microphone."""
_AROUND_S = (0.4, 0.6)
_FAINT = np.float32(10 ** (-55 / 20))
"""The deviation of the noise in that silence, 55 dB below full scale."""
RATIO_DB = 15.0
"""The power of a sound over that of the noise in the view `noisy`."""
_SHIFT = 10
"""The most frames of 10 ms that a sound is moved by, and at most a tenth of its length."""
_GAIN_DB = 6.0
_LEAST_DB, _MOST_DB = 10.0, 40.0
"""The range of ratios of random noise."""


def viewed_wave(wave: Wave, rate: int, view: View) -> Wave:
    """A wave of the rate in one of the fixed views of `Kind.views`; the identity returns it unchanged."""
    if view in SPEEDS:
        return np.concatenate(list(resampled([wave], rate * SPEEDS[view], rate)))
    if view == SURROUNDED:
        length = len(wave)
        before, behind = (round(seconds * rate) for seconds in _AROUND_S)
        faint = _FAINT * _noise(before + length + behind)
        return np.concatenate([faint[:before], wave, faint[before + length :]])
    if view == NOISY:
        power = float(np.square(wave, dtype=np.float64).mean())
        return wave + np.float32(_amplitude(power)) * _noise(len(wave))
    return wave


def noisy(batch: Batch) -> dict[str, Tensor]:
    """Prepared sounds in the view `noisy`."""
    given = mapping_of(batch)
    samples, counted = given[SAMPLES], given[MASK][:, :, None]
    number = (counted.sum((1, 2)) * samples.shape[2]).clamp(min=1)
    power = (samples * counted).double().square().sum((1, 2)) / number
    amplitude = (power * 10 ** (-RATIO_DB / 10)).sqrt().float()
    noise = torch.from_numpy(_noise(samples.shape[1] * samples.shape[2])).view(samples.shape[1:])
    return {**given, SAMPLES: samples + amplitude[:, None, None] * noise * counted}


def noisy_ones(batch: Batch, chosen: Tensor) -> dict[str, Tensor]:
    """Prepared sounds, those where `chosen`, bool [B], is true in the view `noisy`."""
    given = mapping_of(batch)
    return {**given, SAMPLES: torch.where(chosen[:, None, None], noisy(batch)[SAMPLES], given[SAMPLES])}


def varied(batch: Batch, generator: torch.Generator | None = None) -> dict[str, Tensor]:
    """Each sound louder or softer by up to 6 dB, moved by up to 100 ms, and with white noise 10 to 40 dB below it, all drawn anew for each.

    generator: None: torch's global one.
    """
    given = mapping_of(batch)
    samples, mask = given[SAMPLES], given[MASK]
    count, frames, hop = samples.shape
    gain, ratio, shift = torch.rand(3, count, generator=generator)
    lengths = mask.sum(1)
    most = (lengths // 10).clamp(max=_SHIFT) * hop
    moved = (
        _moved(samples.flatten(1), ((2 * shift - 1) * most).round().long()).view(count, frames, hop) * mask[:, :, None]
    )
    power = moved.square().sum((1, 2)) / (lengths * hop).clamp(min=1)
    amplitude = (power * 10 ** (-(_LEAST_DB + (_MOST_DB - _LEAST_DB) * ratio) / 10)).sqrt()
    noise = torch.randn(samples.shape, generator=generator) * mask[:, :, None]
    louder = 10 ** ((2 * gain - 1) * _GAIN_DB / 20)
    return {**given, SAMPLES: (moved + amplitude[:, None, None] * noise) * louder[:, None, None]}


def _moved(waves: Tensor, by: Tensor) -> Tensor:
    """Waves [B, T], each moved to the right by a number of samples, int64 [B], with zeros behind it."""
    places = torch.arange(waves.shape[1]) - by[:, None]
    inside = (places >= 0) & (places < waves.shape[1])
    return waves.gather(1, places.clamp(0, waves.shape[1] - 1)) * inside


def _amplitude(power: float) -> float:
    return float(np.sqrt(power * 10 ** (-RATIO_DB / 10)))


@lru_cache(maxsize=2)
def _drawn(blocks: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal(blocks * 2**16, np.float32)


def _noise(length: int) -> NDArray[np.float32]:
    """The same noise for every sound; a shorter one has the beginning of a longer one's."""
    return _drawn(-(-length // 2**16))[:length]
