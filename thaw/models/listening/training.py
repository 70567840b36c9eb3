"""A trigger model from clips of the trigger and from recordings without it.

Half of the recordings train the detector. The other half tune the threshold and make the promise.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from thaw.backbones.backbone import Backbone
from thaw.foundation.errors import BadManifest
from thaw.heads.trigger.fitting import DetectorSettings, fit_detector
from thaw.kinds.sounds.framed import FRAMES_A_SECOND, SAMPLES, framed
from thaw.models.listening.sequences import rate_of, refuse_unless_local, sequence
from thaw.models.listening.trigger_model import TriggerModel
from thaw.targets.trigger.events import Background, ScoredRecording
from thaw.targets.trigger.promise import Budget, promise

REFRACTORY_S = 2.0
SNRS = (20.0, 10.0, 5.0)
"""Decibels of the noise that is mixed into clips; recordings get the middle one."""
_QUIET = 1e-3
"""The level of the noise around a clip, -60 dB."""


@dataclass(frozen=True, eq=False)
class Sound:
    """A wave at the network's rate, float32 [T] from -1 to 1; group: its speaker or its recording."""

    wave: Tensor
    group: str


def train_trigger(
    word: str,
    backbone: Backbone,
    *,
    clips: Sequence[Tensor],
    others: Sequence[Sound],
    noise: Tensor | None = None,
    budget: Budget,
    settings: DetectorSettings,
) -> TriggerModel:
    """Train a detector, and tune its threshold on recordings that it was not trained on.

    clips: waves of the trigger, float32 [T] each. noise: a wave that is mixed into clips and into recordings.

    Raises:
        BadManifest: there are no clips, or no two groups of recordings without the trigger.
        BadParameters: see `thaw.models.listening.sequences.refuse_unless_local`.
    """
    groups = sorted({each.group for each in others})
    if not clips or len(groups) < 2:
        raise BadManifest(
            f"{word}: {len(clips)} clips and {len(groups)} groups of recordings without it; give clips, and recordings of two groups at least"
        )
    draw = np.random.default_rng(settings.seed)
    training = set(draw.permutation(groups)[: len(groups) // 2].tolist())
    generator = torch.Generator().manual_seed(settings.seed)
    span = refuse_unless_local(backbone)
    around_s = (span.window + settings.places * span.stride) / FRAMES_A_SECOND

    def heard(wave: Tensor) -> Tensor:
        return sequence(backbone, span, framed(wave, rate_of(backbone))[SAMPLES])

    def versions(wave: Tensor, snrs: Iterable[float]) -> list[Tensor]:
        around = surrounded(wave, round(around_s * rate_of(backbone)), generator)
        noisy = [] if noise is None else [mixed(around, noise, snr, generator) for snr in snrs]
        return [heard(each) for each in (around, *noisy)]

    bags = [versions(clip, SNRS) for clip in clips]
    quiet = [version for each in others if each.group in training for version in versions(each.wave, SNRS[1:2])]
    detector = fit_detector(bags, quiet, settings)
    refractory = round(REFRACTORY_S * FRAMES_A_SECOND / span.stride)
    tuning = [
        ScoredRecording(detector.scores(heard(each.wave)).numpy(), _hours(each, backbone), each.group)
        for each in others
        if each.group not in training
    ]
    return TriggerModel(word, backbone, detector, refractory, promise(Background(tuning, refractory), budget))


def surrounded(wave: Tensor, samples: int, generator: torch.Generator) -> Tensor:
    """A wave with so many samples of quiet noise before it and half as many behind it, so that every window of it is whole."""
    before, behind = (_QUIET * torch.randn(count, generator=generator) for count in (samples, samples // 2))
    return torch.cat([before, wave, behind])


def mixed(wave: Tensor, noise: Tensor, snr: float, generator: torch.Generator) -> Tensor:
    """A wave with a piece of noise; snr: the ratio of their mean powers, in decibels."""
    start = int(torch.randint(len(noise), (1,), generator=generator))
    piece = noise[(start + torch.arange(len(wave))) % len(noise)]
    power = piece.square().mean().clamp(min=1e-12)
    return wave + piece * (wave.square().mean() / power / 10 ** (snr / 10)).sqrt()


def _hours(sound: Sound, backbone: Backbone) -> float:
    return len(sound.wave) / rate_of(backbone) / 3600
