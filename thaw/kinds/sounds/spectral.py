"""Features of sounds without a backbone: statistics of mel spectra and of cepstra (MFCC)."""

import torch
from torch import Tensor

from thaw.kinds.batches import Batch, mapping_of
from thaw.kinds.sounds.framed import FRAMES_A_SECOND, MASK, SAMPLES
from thaw.kinds.sounds.mels import cepstra, log_mels

BANDS, CEPSTRA, SLICES = 40, 20, 8


def spectral_statistics(batch: Batch) -> Tensor:
    """Mean and deviation over time of each mel band, and the means of the cepstra in each of `SLICES` slices of the time: float32 [B, 240].

    batch: `samples` and `mask`. What is behind the end of a sound does not count.
    """
    given = mapping_of(batch)
    samples, mask = given[SAMPLES], given[MASK]
    mels = log_mels(samples, samples.shape[2] * FRAMES_A_SECOND, BANDS)
    weights = mask.to(mels.dtype)[:, :, None] / mask.sum(1).clamp(min=1)[:, None, None]
    mean = (mels * weights).sum(1)
    deviation = ((mels - mean[:, None]).square() * weights).sum(1).sqrt()
    sliced = _slices(mask).to(mels.dtype) @ cepstra(mels, CEPSTRA)
    return torch.cat([mean, deviation, sliced.flatten(1)], 1)


def _slices(mask: Tensor) -> Tensor:
    """The share of each frame in the mean of each slice, [B, SLICES, F]; a sound of fewer frames than slices has frames that count in several."""
    length = mask.sum(1).clamp(min=1)[:, None]
    number = torch.arange(SLICES, device=mask.device)
    begin = number * length // SLICES
    end = torch.maximum((number + 1) * length // SLICES, begin + 1)
    places = torch.arange(mask.shape[1], device=mask.device)
    within = (places >= begin[:, :, None]) & (places < end[:, :, None])
    return within / within.sum(2, keepdim=True).clamp(min=1)
