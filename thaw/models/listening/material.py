"""The features that a trigger is trained on and measured by: of clips, clean and in noise, and of recordings without the trigger.

Half of the groups of recordings without the trigger train the detector; the other half tune the threshold. The first part of the noise is for training, the
rest for measuring.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from thaw.backbones.backbone import Backbone
from thaw.backbones.places import Span
from thaw.features.sequences.mixing import MEASURED_SNRS, OTHERS_SNR, TRAINED_SNRS, mixed, power_of
from thaw.features.sequences.network import rate_of, refuse_unless_local, sequence
from thaw.features.sequences.speech_end import end_of_speech, place_behind
from thaw.foundation.errors import BadManifest
from thaw.foundation.parallel.progress import Progress, untold
from thaw.heads.trigger.fitting import Clip, DetectorSettings
from thaw.kinds.sounds.framed import FRAMES_A_SECOND, SAMPLES, framed
from thaw.targets.trigger.evidence import CLEAN

TRAINING_SHARE = 2 / 3
"""The share of the noise that is for training."""
_QUIET = 1e-3
"""The level of the noise around a clip, -60 dB."""


@dataclass(frozen=True, eq=False)
class Sound:
    """A wave at the network's rate, float32 [T] from -1 to 1. group: its speaker or its recording. name: of the recording. file: where it was read."""

    wave: Tensor
    group: str
    name: str = ""
    file: Path | None = None


@dataclass(frozen=True, eq=False)
class HeardClip:
    """A clip of the trigger. training: its versions for training, the clean one first. measured: by the ratio of noise, with noise that trains nothing.
    end: the place at which its speech ends."""

    sound: Sound
    training: Clip
    measured: Mapping[float, Tensor]
    end: int


@dataclass(frozen=True, eq=False)
class TuningRecording:
    """A recording without the trigger, and its features, float32 [P, D]."""

    sound: Sound
    features: Tensor


@dataclass(frozen=True, eq=False)
class Material:
    """Everything that a trigger is trained on and measured by.

    negatives: sequences without the trigger that train, float32 [P, D] each. tuning: the recordings of the other groups. before_s: the quiet that stands before
    each clip. span: of the layer that the features are of. rate: of the waves, in samples a second.
    """

    clips: tuple[HeardClip, ...]
    negatives: tuple[Tensor, ...]
    tuning: tuple[TuningRecording, ...]
    before_s: float
    span: Span
    rate: int

    @property
    def period_s(self) -> float:
        """Between two places."""
        return self.span.stride / FRAMES_A_SECOND

    def window_s(self, places: int) -> float:
        """The length of the sound that so many places are computed from."""
        return (self.span.window + (places - 1) * self.span.stride) / FRAMES_A_SECOND

    def hours(self, sound: Sound) -> float:
        """The length of a sound."""
        return len(sound.wave) / self.rate / 3600


def hear(
    word: str,
    backbone: Backbone,
    *,
    clips: Sequence[Sound],
    others: Sequence[Sound],
    noise: Tensor | None = None,
    near: Sequence[Tensor] = (),
    settings: DetectorSettings,
    progress: Progress = untold,
) -> Material:
    """Compute the features. noise: a wave that is mixed into clips and into recordings. near: waves of words that sound like the trigger; they train, and
    tune nothing. progress: counts sounds.

    Raises:
        BadManifest: there are no clips, or no two groups of recordings without the trigger.
        BadParameters: see `thaw.features.sequences.network.refuse_unless_local`.
    """
    groups = sorted({each.group for each in others})
    if not clips or len(groups) < 2:
        raise BadManifest(
            f"{word}: {len(clips)} clips and {len(groups)} groups of recordings without it; give clips, and recordings of two groups at least"
        )
    draw = np.random.default_rng(settings.seed)
    training_groups = set(draw.permutation(groups)[: len(groups) // 2].tolist())
    ear = _Ear(backbone, settings)
    learned, held = (None, None) if noise is None else _parts(noise)
    total, heard_clips, negatives, tuning = len(clips) + len(others), list[HeardClip](), list[Tensor](), []
    for number, clip in enumerate(clips, 1):
        around = ear.surrounded(clip.wave)
        clean, power = ear.features(around), power_of(clip.wave)
        training = [clean, *ear.noisy(around, learned, power, TRAINED_SNRS)]
        measured = zip((CLEAN, *MEASURED_SNRS), [clean, *ear.noisy(around, held, power, MEASURED_SNRS)], strict=False)
        heard_clips.append(HeardClip(clip, training, dict(measured), ear.end(clip.wave)))
        progress(number, total)
    for number, other in enumerate(others, len(clips) + 1):
        if other.group in training_groups:
            negatives += ear.negatives(other.wave, learned)
        else:
            tuning.append(TuningRecording(other, ear.features(other.wave)))
        progress(number, total)
    negatives += [version for wave in near for version in ear.negatives(wave, learned)]
    return Material(tuple(heard_clips), tuple(negatives), tuple(tuning), ear.before / ear.rate, ear.span, ear.rate)


class _Ear:
    """Waves in, features out. Noise and the quiet around clips are drawn anew for each."""

    def __init__(self, backbone: Backbone, settings: DetectorSettings) -> None:
        self._backbone, self.span, self.rate = backbone, refuse_unless_local(backbone), rate_of(backbone)
        self._generator = torch.Generator().manual_seed(settings.seed)
        around_s = (self.span.window + settings.places * self.span.stride) / FRAMES_A_SECOND
        self.before = round(around_s * self.rate)

    def features(self, wave: Tensor) -> Tensor:
        return sequence(self._backbone, self.span, framed(wave, self.rate)[SAMPLES])

    def surrounded(self, wave: Tensor) -> Tensor:
        return surrounded(wave, self.before, self._generator)

    def end(self, wave: Tensor) -> int:
        """The place at which the speech of a surrounded wave ends."""
        before = self.before * FRAMES_A_SECOND // self.rate
        return place_behind(before + end_of_speech(framed(wave, self.rate)[SAMPLES]), self.span)

    def negatives(self, wave: Tensor, noise: Tensor | None) -> list[Tensor]:
        """The features of a wave without the trigger, clean and with noise."""
        around = self.surrounded(wave)
        return [self.features(around), *self.noisy(around, noise, power_of(wave), [OTHERS_SNR])]

    def noisy(self, wave: Tensor, noise: Tensor | None, power: float, snrs: Sequence[float]) -> list[Tensor]:
        """The features of a wave with noise at each ratio; none without noise."""
        if noise is None:
            return []
        return [self.features(mixed(wave, noise, power, snr, self._generator)) for snr in snrs]


def surrounded(wave: Tensor, samples: int, generator: torch.Generator) -> Tensor:
    """A wave with so many samples of quiet noise before it and half as many behind it, so that every window of it is whole."""
    before, behind = (_QUIET * torch.randn(count, generator=generator) for count in (samples, samples // 2))
    return torch.cat([before, wave, behind])


def _parts(noise: Tensor) -> tuple[Tensor, Tensor]:
    """What trains, and what measures."""
    cut = max(1, round(TRAINING_SHARE * len(noise)))
    return noise[:cut], noise[cut:] if cut < len(noise) else noise
