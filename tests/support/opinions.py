"""Short opinions in several scripts, and a model on word vectors that tells good from bad ones."""

import tempfile
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import torch

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.backbones.converting.vector_files import Vectors
from thaw.backbones.converting.word_backbones import backbone_of_vectors
from thaw.backbones.weights import write_weights
from thaw.foundation.files.atomic import digest_bytes
from thaw.heads import fit_head
from thaw.kinds.kind import Limits
from thaw.kinds.texts.kind import KIND
from thaw.models.gallery import Gallery
from thaw.models.prediction.predictor import Predictor
from thaw.params.sections import BackboneParams, HeadParams
from thaw.targets.labelled import LabelledFeatures

LIMITS = Limits()
GOOD = ("wonderful", "superb", "touching", "נהדר", "رائع", "👍", "café")
BAD = ("dreadful", "boring", "clumsy", "נורא", "سيئ", "👎", "naïf")
PLAIN = ("the", "film", "was", "is", "and", "a", "story", "🏽", "הסרט", "הוא", "फ़िल्म")
CLASSES = ("bad", "good")


@cache
def backbone() -> Backbone:
    """Vectors of 8 numbers; the first says whether a word is good or bad."""
    words = (*GOOD, *BAD, *PLAIN)
    vectors = np.random.default_rng(0).normal(0, 0.3, (len(words), 8)).astype(np.float32)
    vectors[:, 0] = [1] * len(GOOD) + [-1] * len(BAD) + [0] * len(PLAIN)
    weights = backbone_of_vectors(Vectors(list(words), vectors, 0))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "words.safetensors"
        write_weights(file, weights.tensors, weights.metadata)
        return read_backbone(BackboneParams(weights=str(file)))


@cache
def opinions() -> tuple[tuple[str, str], ...]:
    """Texts and their labels."""
    starts = ("The film was", "הסרט הוא", "फ़िल्म", "A story,")
    return tuple(
        (f"{start} {word}", label)
        for label, words in zip(CLASSES, (BAD, GOOD), strict=True)
        for start, word in product(starts, words)
    )


@cache
def predictor_on_opinions() -> Predictor:
    whole = backbone()
    targets = torch.tensor([CLASSES.index(label) for _, label in opinions()])
    head = fit_head(LabelledFeatures(_features(), targets, CLASSES), None, HeadParams(l2=(0.01,), folds=3))
    return Predictor(whole, head, whole.layers[-1])


def gallery_of_opinions() -> Gallery:
    contents = [text.encode() for text, _ in opinions()]
    return Gallery(
        "f" * 32,
        backbone().layers[-1],
        tuple(map(digest_bytes, contents)),
        tuple(f"opinions.csv#{number}" for number in range(1, len(contents) + 1)),
        tuple((label,) for _, label in opinions()),
        _features(),
        tuple(KIND.preview(content, LIMITS, small=True) for content in contents),
    )


@cache
def _features() -> torch.Tensor:
    whole = backbone()
    reader = KIND.reader(whole.preprocessing, LIMITS, None)  # type: ignore[arg-type]
    batch = KIND.collate([reader.prepare(text.encode()) for text, _ in opinions()])
    return whole.features(batch)[whole.layers[-1]].clone()
