"""Recordings of spoken digits as a measure of sound networks: a speaker is held out, and some labels of each digit of the others are learnt.

Each draw takes labels from all speakers but one, and tests on all recordings of that one, for each speaker in turn.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from thaw.backbones.architectures import build
from thaw.backbones.backbone import Backbone
from thaw.foundation.errors import BadSource
from thaw.heads.fitting import fit_head
from thaw.kinds.batches import Batch, grouped, in_groups, stacked
from thaw.kinds.kind import Limits, Preprocessing
from thaw.kinds.plain import plain_features
from thaw.kinds.prepared import kind_of, open_reader
from thaw.params.sections import HeadParams
from thaw.strategies.baselines.from_scratch import ScratchSettings, predict_logits, train_scratch
from thaw.targets.labelled import LabelledFeatures

NAMES = tuple("0123456789")
_BATCH = 64


@dataclass(frozen=True)
class Digits:
    """Recordings. examples: prepared by `preprocessing`. targets: int64 [N]. speakers: the name of each one's."""

    preprocessing: Preprocessing
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


def read_digits(folder: Path, preprocessing: Preprocessing) -> Digits:
    """Files DIGIT_SPEAKER_NUMBER.flac or .wav, of any rate; preprocessing: of the networks that are measured.

    Raises:
        BadSource: there are none.
        BadExample: one is damaged.
    """
    paths = sorted(path for path in folder.glob("?_*_*.*") if path.suffix in (".flac", ".wav"))
    if not paths:
        raise BadSource(
            f"{folder} has no recordings DIGIT_SPEAKER_NUMBER; lay those of https://github.com/Jakobovski/free-spoken-digit-dataset there"
        )
    reader, named = open_reader(preprocessing, Limits()), [path.stem.split("_") for path in paths]
    examples = [reader.prepare(path.read_bytes()) for path in paths]
    return Digits(
        preprocessing,
        examples,
        torch.tensor([int(digit) for digit, _, _ in named]),
        tuple(name for _, name, _ in named),
    )


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


def plain(digits: Digits) -> Tensor:
    """The features of a model without a backbone, float32 [N, D]; see `Kind.plain_features`."""
    return in_groups(digits.examples, _BATCH, lambda group: plain_features(stacked(group), digits.preprocessing))


def scratch_learner(digits: Digits, architecture: str, settings: ScratchSettings) -> Learner:
    """The same network from random weights, trained end to end on the labels alone."""
    scratch = kind_of(digits.preprocessing).scratch(digits.preprocessing)

    def learn(draw: Draw) -> Tensor:
        model = train_scratch(
            stacked([digits.examples[row] for row in draw.train.tolist()]),
            digits.targets[draw.train],
            loss=lambda logits, targets, smoothing: F.cross_entropy(logits, targets, label_smoothing=smoothing),
            build=lambda classes: build(architecture, classes),
            num_classes=len(NAMES),
            scratch=scratch,
            seed=draw.seed,
            settings=settings,
        )
        tested = [digits.examples[row] for row in draw.test.tolist()]
        return in_groups(tested, _BATCH, lambda group: predict_logits(model, stacked(group), scratch))

    return learn


def batches_of(digits: Digits) -> Iterator[tuple[list[int], Batch]]:
    """All recordings in groups of similar length, with their rows."""
    for rows in grouped(digits.examples, _BATCH):
        yield rows, stacked([digits.examples[row] for row in rows])
