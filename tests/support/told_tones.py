"""A model without a backbone that tells low, middle and high tones apart, with a gallery of them."""

from functools import cache

import numpy as np
import torch
from made_up_sounds import tone, written

from thaw.foundation.files.atomic import digest_bytes
from thaw.foundation.parallel.memory_budget import MemoryBound
from thaw.heads import fit_head
from thaw.kinds.kind import Limits
from thaw.kinds.plain import plain_features
from thaw.kinds.sounds.kind import KIND
from thaw.kinds.sounds.preprocessing import WaveformPreprocessing
from thaw.models.gallery import Gallery
from thaw.models.prediction.plain import plain_predictor
from thaw.models.prediction.predictor import Predictor
from thaw.params.sections import HeadParams
from thaw.targets.labelled import LabelledFeatures

LIMITS = Limits()
PREPROCESSING = WaveformPreprocessing()
CLASSES = ("high", "low", "middle")
HERTZ = {"high": 2200.0, "low": 220.0, "middle": 700.0}


@cache
def tones(count: int = 8) -> tuple[tuple[bytes, str], ...]:
    """Files of tones and their labels, of different lengths and loudness."""
    chance = np.random.default_rng(0)
    return tuple(
        (written(tone(chance.uniform(0.3, 0.8), hertz=HERTZ[label] * chance.uniform(0.8, 1.25), seed=number)), label)
        for label in CLASSES
        for number in range(count)
    )


@cache
def predictor_on_tones() -> Predictor:
    targets = torch.tensor([CLASSES.index(label) for _, label in tones()])
    head = fit_head(LabelledFeatures(_statistics(), targets, CLASSES), None, HeadParams(l2=(0.01,), folds=3))
    return plain_predictor(head, PREPROCESSING)


def gallery_of_tones() -> Gallery:
    predictor, contents = predictor_on_tones(), [content for content, _ in tones()]
    prepared = KIND.collate([predictor.prepare(content, LIMITS) for content in contents])
    return Gallery(
        "f" * 32,
        predictor.layer,
        tuple(map(digest_bytes, contents)),
        tuple(f"tones/{number}.wav" for number in range(len(contents))),
        tuple((label,) for _, label in tones()),
        predictor.backbone.features(prepared)[predictor.layer].clone(),
        tuple(KIND.preview(content, LIMITS, small=True) for content in contents),
    )


@cache
def _statistics() -> torch.Tensor:
    reader = KIND.reader(PREPROCESSING, LIMITS, MemoryBound(10**8))
    return plain_features(KIND.collate([reader.prepare(content) for content, _ in tones()]), PREPROCESSING)
