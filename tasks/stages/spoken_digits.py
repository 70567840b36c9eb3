"""Recordings of spoken digits as a measure of sound networks: a speaker is held out, and some labels of each digit of the others are learnt.

Each draw takes labels from all speakers but one, and tests on all recordings of that one, for each speaker in turn.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from thaw.backbones.architectures import build
from thaw.backbones.backbone import Backbone
from thaw.backbones.encoders.log_mel import band_powers
from thaw.foundation.errors import BadSource
from thaw.foundation.statistics.bootstrap import Estimate
from thaw.heads.fitting import fit_head
from thaw.kinds.batches import Batch, grouped, in_groups, stacked
from thaw.kinds.kind import Limits
from thaw.kinds.prepared import open_reader
from thaw.kinds.sounds.framed import MASK, SAMPLES, mapping
from thaw.kinds.sounds.preprocessing import WaveformPreprocessing
from thaw.params.sections import HeadParams
from thaw.strategies.baselines.from_scratch import ScratchSettings, predict_logits, train_scratch
from thaw.targets.labelled import LabelledFeatures

RATE = 16_000
NAMES = tuple("0123456789")
_BATCH = 64
_BANDS, _CEPSTRA, _SLICES = 40, 20, 8
_SHIFT = 10


@dataclass(frozen=True)
class Digits:
    """Recordings. examples: prepared sounds. targets: int64 [N]. speakers: the name of each one's."""

    examples: Sequence[Batch]
    targets: Tensor
    speakers: tuple[str, ...]


@dataclass(frozen=True)
class Draw:
    """Training rows and test rows, int64. speaker: who is held out."""

    speaker: str
    seed: int
    train: Tensor
    test: Tensor


def read_digits(folder: Path) -> Digits:
    """Files DIGIT_SPEAKER_NUMBER.flac or .wav, of any rate.

    Raises:
        BadSource: there are none.
        BadExample: one is damaged.
    """
    paths = sorted(path for path in folder.glob("?_*_*.*") if path.suffix in (".flac", ".wav"))
    if not paths:
        raise BadSource(
            f"{folder} has no recordings DIGIT_SPEAKER_NUMBER; lay those of https://github.com/Jakobovski/free-spoken-digit-dataset there"
        )
    reader, named = open_reader(WaveformPreprocessing(RATE), Limits()), [path.stem.split("_") for path in paths]
    examples = [reader.prepare(path.read_bytes()) for path in paths]
    return Digits(examples, torch.tensor([int(digit) for digit, _, _ in named]), tuple(name for _, name, _ in named))


def draws(digits: Digits, labels: int, seeds: int) -> Iterator[Draw]:
    """All draws of `labels` recordings of each digit, for each speaker that is held out."""
    speakers = np.array(digits.speakers)
    targets = digits.targets.numpy()
    for speaker in sorted(set(digits.speakers)):
        test, others = np.flatnonzero(speakers == speaker), np.flatnonzero(speakers != speaker)
        for seed in range(seeds):
            chance = np.random.default_rng(seed)
            rows = [chance.permutation(others[targets[others] == digit])[:labels] for digit in range(len(NAMES))]
            yield Draw(speaker, seed, torch.from_numpy(np.concatenate(rows)), torch.from_numpy(test))


Learner = Callable[[Draw], Tensor]
"""Logits or log-odds of the test rows, float [N, 10]."""


def accuracies(learner: Learner, digits: Digits, labels: int, seeds: int) -> tuple[float, ...]:
    """The share of right answers in each draw."""
    return tuple(
        float((learner(draw).argmax(1) == digits.targets[draw.test]).float().mean())
        for draw in draws(digits, labels, seeds)
    )


def head_learner(features: Tensor, digits: Digits) -> Learner:
    """Thaw's linear head on features float32 [N, D]."""

    def learn(draw: Draw) -> Tensor:
        rows = LabelledFeatures(features[draw.train], digits.targets[draw.train], NAMES)
        return fit_head(rows, None, HeadParams(seed=draw.seed)).logits(features[draw.test])

    return learn


def backbone_features(digits: Digits, backbone: Backbone) -> Tensor:
    """Features float32 [N, D] of the default cut layer."""

    def computed(group: Sequence[Batch]) -> Tensor:
        return backbone.features(stacked(group))[backbone.layers[-1]].clone()

    return in_groups(digits.examples, _BATCH, computed)


def cepstra(digits: Digits) -> Tensor:
    """Mel-frequency cepstral coefficients, their means in equal slices of the time: float32 [N, slices x coefficients]."""
    angles = (torch.arange(_BANDS) + 0.5)[:, None] * torch.arange(_CEPSTRA) * (math.pi / _BANDS)

    def computed(example: Batch) -> Tensor:
        powers = band_powers(mapping(example)[SAMPLES][None], _BANDS)[0]
        slices = F.adaptive_avg_pool1d(((powers + 1e-8).log() @ angles.cos()).T, _SLICES)
        return slices.flatten()

    return torch.stack([computed(example) for example in digits.examples])


def scratch_learner(digits: Digits, architecture: str, settings: ScratchSettings) -> Learner:
    """The same network from random weights, trained end to end on the labels alone."""

    def learn(draw: Draw) -> Tensor:
        model = train_scratch(
            stacked([digits.examples[row] for row in draw.train.tolist()]),
            digits.targets[draw.train],
            loss=lambda logits, targets, smoothing: F.cross_entropy(logits, targets, label_smoothing=smoothing),
            build=lambda classes: build(architecture, classes),
            num_classes=len(NAMES),
            scratch=_Shifted(),
            seed=draw.seed,
            settings=settings,
        )
        tested = [digits.examples[row] for row in draw.test.tolist()]
        return in_groups(tested, _BATCH, lambda group: predict_logits(model, stacked(group), _Shifted()))

    return learn


class _Shifted:
    """A `Scratch`: sounds moved by up to 100 ms, with noise 10 to 40 dB below them."""

    def begin(self, batch: Batch) -> Batch:
        """As they are."""
        return batch

    def changed(self, batch: Batch, generator: torch.Generator) -> Batch:
        """With silence of random length at both ends, and noise."""
        given = mapping(batch)
        before, after = (int(torch.randint(_SHIFT + 1, (), generator=generator)) for _ in range(2))
        samples, mask = given[SAMPLES], given[MASK]
        ratio = 10 ** (-(10 + 30 * torch.rand(len(samples), 1, 1, generator=generator)) / 20)
        level = samples.square().mean((1, 2), keepdim=True).sqrt()
        samples = F.pad(samples, (0, 0, before, after))
        noise = torch.randn(samples.shape, generator=generator) * level * ratio
        # The silence before a sound is a part of it; behind its end there is padding.
        mask = torch.cat([torch.ones_like(mask[:, :1]).expand(-1, before), F.pad(mask, (0, after))], 1)
        return {SAMPLES: (samples + noise) * mask[:, :, None], MASK: mask}

    def plain(self, batch: Batch) -> Batch:
        """As they are."""
        return batch


def lead(own: Sequence[float], other: Sequence[float], confidence: float = 0.95) -> Estimate:
    """The mean difference over the draws that both have, with the interval of a bootstrap over pairs."""
    pairs = np.array(own) - np.array(other)
    drawn = np.random.default_rng(0).choice(pairs, (10_000, len(pairs))).mean(1)
    low, high = np.quantile(drawn, ((1 - confidence) / 2, (1 + confidence) / 2))
    return Estimate(float(pairs.mean()), float(low), float(high))


def batches_of(digits: Digits) -> Iterator[tuple[list[int], Mapping[str, Tensor]]]:
    """All recordings in groups of similar length, with their rows."""
    for rows in grouped(digits.examples, _BATCH):
        yield rows, mapping(stacked([digits.examples[row] for row in rows]))
