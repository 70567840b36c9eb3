"""The quiet that is put around a recording, so that windows that are longer than it are whole; it counts as no time."""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from thaw.kinds.sounds.framed import FRAMES_A_SECOND

BEFORE, BEHIND = 16 * FRAMES_A_SECOND // 10, 8 * FRAMES_A_SECOND // 10
"""Frames: 1.6 s before, 0.8 s behind."""
BEFORE_S = BEFORE / FRAMES_A_SECOND
_LEVEL = 1e-3
"""60 dB below full scale."""


def surrounded(frames: Tensor) -> Tensor:
    """float32 [F, hop] -> [BEFORE + F + BEHIND, hop]; the noise is the same for every recording."""
    around = quiet(frames.shape[1])
    return torch.cat([around[:BEFORE], frames, around[BEFORE:]])


@cache
def quiet(hop: int) -> Tensor:
    """The frames before a recording and those behind it, float32 [BEFORE + BEHIND, hop]."""
    drawn = np.random.default_rng(0).standard_normal((BEFORE + BEHIND, hop), np.float32)
    return torch.from_numpy(_LEVEL * drawn).float()
