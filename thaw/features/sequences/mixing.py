"""Noise that is mixed into sounds, at a ratio of powers."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

TRAINED_SNRS = (20.0, 10.0, 5.0)
"""Decibels of the noise that is mixed into clips of a trigger for training."""
OTHERS_SNR = 10.0
"""Decibels of the noise that is mixed into recordings without the trigger for training: noise in one class alone would be learnt as its mark."""
MEASURED_SNRS = (20.0, 10.0, 5.0, 0.0)
"""Decibels of the noise that is mixed into clips for measuring."""


def power_of(wave: Tensor) -> float:
    """The mean power."""
    return float(wave.square().mean()) if len(wave) else 0.0


def mixed(wave: Tensor, noise: Tensor, power: float, snr: float, generator: torch.Generator) -> Tensor:
    """A wave with a piece of noise; snr: the ratio of `power`, such as that of the wave without the quiet around it, to the noise's, in decibels."""
    start = int(torch.randint(len(noise), (1,), generator=generator))
    piece = noise[(start + torch.arange(len(wave))) % len(noise)]
    amplitude = math.sqrt(power / max(power_of(piece), 1e-12) / 10 ** (snr / 10))
    return wave + amplitude * piece


@dataclass(frozen=True, eq=False)
class Noise:
    """A wave, float32 [T], T > 0, that is mixed into recordings. snr: in decibels."""

    wave: Tensor
    snr: float

    def around(self, surrounded: Tensor, frames: Tensor, digest: bytes) -> Tensor:
        """A recording with quiet around it, float32 [F, hop], in noise of which the digest chooses the piece; frames: the recording alone."""
        generator = torch.Generator().manual_seed(int.from_bytes(digest[:7], "little"))
        wave = mixed(surrounded.flatten(), self.wave, power_of(frames.flatten()), self.snr, generator)
        return wave.view_as(surrounded)
