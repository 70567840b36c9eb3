"""Bands of frequencies on Slaney's scale of pitch: linear up to 1 kHz, and logarithmic above.

Slaney, "Auditory Toolbox", technical report 1998-010, Interval Research, 1998.
"""

import math

import torch
from torch import Tensor

_LINEAR_HZ, _LINEAR_MELS, _STEP = 1_000.0, 15.0, math.log(6.4) / 27


def mel_bands(frequencies: Tensor, bands: int, lowest: float, highest: float) -> Tensor:
    """Triangles of the same area, each from its lower neighbour's middle to its upper one's, float64 [N, bands].

    frequencies: [N], Hz. lowest, highest: where the first band begins and the last one ends, Hz.
    """
    edges = _hertz_of(torch.linspace(_mels_of(lowest), _mels_of(highest), bands + 2, dtype=torch.float64))
    below, middle, above = edges[:-2], edges[1:-1], edges[2:]
    given = frequencies.double()[:, None]
    rising, falling = (given - below) / (middle - below), (above - given) / (above - middle)
    return rising.minimum(falling).clamp(min=0) * 2 / (above - below)


def _mels_of(hertz: float) -> float:
    if hertz < _LINEAR_HZ:
        return hertz * _LINEAR_MELS / _LINEAR_HZ
    return _LINEAR_MELS + math.log(hertz / _LINEAR_HZ) / _STEP


def _hertz_of(mels: Tensor) -> Tensor:
    above = _LINEAR_HZ * ((mels - _LINEAR_MELS) * _STEP).exp()
    return torch.where(mels < _LINEAR_MELS, mels * (_LINEAR_HZ / _LINEAR_MELS), above)
