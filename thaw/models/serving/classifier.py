"""A model that answers: bytes to pixels, pixels to answers by the fastest engine, and the training images that are nearest."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from thaw.backbones.engines.engine import MICRO_BATCH
from thaw.foundation.errors import BadExample
from thaw.foundation.parallel.memory_budget import MemoryBound
from thaw.foundation.parallel.torch_threads import threads
from thaw.kinds.images.decoding import decode_pixels, decoded_nbytes
from thaw.kinds.images.files import open_image
from thaw.kinds.images.reading import PixelSource
from thaw.kinds.kind import Limits
from thaw.models.answer import Answer, answer
from thaw.models.gallery import Gallery, Nearness
from thaw.models.predictor import Predictor
from thaw.models.serving.engines import EngineName, ServingEngine, choose_serving_engine
from thaw.models.serving.gate import TRACING

DECODED = 512 * 10**6
"""Bytes that pictures may take while they are decoded, all together; a single one of the largest always may."""
_DEEP = 8
"""Bytes a pixel of what takes the most: deep grey."""


@dataclass(frozen=True, eq=False)
class Said:
    """What the model says of one image: one label, which may be `neither`, or a set of them.

    probabilities: float32 [C], in the order of the class names. feature: float32 [D].
    """

    label: str | None
    labels: tuple[str, ...] | None
    confidence: float | None
    known_score: float | None
    probabilities: "np.ndarray[Any, np.dtype[np.float32]]"
    feature: Tensor


@dataclass(frozen=True, eq=False)
class Classifier:
    """Every method is safe to call from threads. gallery and nearness: None where the model came without."""

    predictor: Predictor
    engine: ServingEngine
    source: PixelSource
    gallery: Gallery | None
    nearness: Nearness | None

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of the probabilities."""
        return self.predictor.class_names

    def decode(self, content: bytes) -> Tensor:
        """An image file's bytes as the backbone takes them, by the way that the training images went: uint8 [3, H, W].

        Raises:
            BadExample: it is none, or damaged, or has too many pixels, as it is or once it is resized.
        """
        opened = open_image(content, self.source.max_pixels)
        if decoded_nbytes(opened, self.source.preprocessing) > self.source.bound.nbytes:
            # Its shorter side is brought to some hundreds of pixels, and a thin strip's longer side grows with it.
            raise BadExample(f"has {opened.width} x {opened.height} pixels, and is too long and thin to be resized")
        resized = self.source.resized(opened, content)
        return self.source.preprocessing.view(resized)

    def say(self, pixels: Sequence[Tensor]) -> list[Said]:
        """What the model says of images, each uint8 [3, H, W] as `decode` gives it."""
        with torch.inference_mode():
            features = self.engine.features(torch.stack(list(pixels)))[self.predictor.layer]
            given = answer(self.predictor.head, self.predictor.openness, features)
            return _labels(given, features) if given.exclusive else _sets(given, features)

    def nearest(self, said: Said, count: int) -> list[tuple[int, float]]:
        """The rows of the gallery that are most like an image, the most alike first, each with its cosine similarity; none without a gallery."""
        return [] if self.nearness is None else self.nearness.nearest(said.feature, count)


def _labels(given: Answer, features: Tensor) -> list[Said]:
    scores = [None] * len(features) if given.known_scores is None else given.known_scores.tolist()
    rows = zip(given.labels.tolist(), given.probabilities, scores, features, strict=True)
    return [Said(label, None, float(row.max()), score, row, feature) for label, row, score, feature in rows]


def _sets(given: Answer, features: Tensor) -> list[Said]:
    rows = zip(given.sets, given.probabilities, features, strict=True)
    return [Said(None, tuple(labels), None, None, row, feature) for labels, row, feature in rows]


def build_classifier(
    predictor: Predictor,
    gallery: Gallery | None,
    *,
    engine: EngineName,
    limits: Limits,
    workers: int,
    keep: Path | None = None,
) -> Classifier:
    """Choose the engine and warm everything up; takes seconds. A gallery of other features than the model's is left aside.

    workers: threads that will ask it at once. keep: the folder where converted networks are kept for the next time.
    """
    with TRACING.closed():
        backbone = predictor.backbone.only((predictor.layer,))
    chosen = choose_serving_engine(backbone, engine, _sample(predictor, gallery), workers=workers, keep=keep)
    standardisation = predictor.head.model.standardisation
    fits = gallery is not None and len(gallery) > 0 and gallery.dim == len(standardisation.mean)
    classifier = Classifier(
        predictor=predictor,
        engine=chosen,
        source=PixelSource(
            backbone.preprocessing, limits.max_pixels, MemoryBound(max(DECODED, _DEEP * limits.max_pixels))
        ),
        gallery=gallery if fits else None,
        nearness=Nearness.of(gallery, standardisation) if gallery is not None and fits else None,
    )
    _warm_up(classifier)
    return classifier


def _sample(predictor: Predictor, gallery: Gallery | None) -> Tensor:
    """Pixels to measure engines on: pictures of the gallery, or noise where there are too few."""
    if gallery is not None and len(gallery) >= MICRO_BATCH:
        chosen = [gallery.thumbnails[place * len(gallery) // MICRO_BATCH] for place in range(MICRO_BATCH)]
        preprocessing = predictor.backbone.preprocessing
        return torch.stack([decode_pixels(content, preprocessing, 10**6) for content in chosen])
    noise = np.random.default_rng(0)
    return torch.stack([predictor.pixels_of_picture(_noise(noise, level)) for level in range(MICRO_BATCH)])


def _noise(noise: np.random.Generator, level: int) -> "Any":
    from PIL import Image

    tones = noise.integers(0, 1 + (level + 1) * 255 // MICRO_BATCH, (9, 9, 3), dtype=np.uint8, endpoint=False)
    return Image.fromarray(tones).resize((72, 72))


def _warm_up(classifier: Classifier) -> None:
    """Whatever is slow the first time is done before anyone waits for it."""
    pixels = list(_sample(classifier.predictor, classifier.gallery))
    with threads(1):
        for images in (pixels[:1], pixels, pixels[:1]):
            for said in classifier.say(images):
                classifier.nearest(said, 1)
