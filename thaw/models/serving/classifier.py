"""A model that answers: from bytes to prepared examples, from these to answers by the fastest engine, with the nearest training examples."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from thaw.backbones.engines.engine import MICRO_BATCH
from thaw.foundation.parallel.torch_threads import threads
from thaw.kinds.batches import Batch, in_groups
from thaw.kinds.kind import Limits, Reader
from thaw.kinds.prepared import open_reader
from thaw.models.explaining import explain
from thaw.models.explanation import Explanation
from thaw.models.gallery import Gallery, Nearness
from thaw.models.prediction.answer import Answer, answer
from thaw.models.prediction.predictor import Predictor
from thaw.models.serving.engines import EngineName, ServingEngine, choose_serving_engine
from thaw.models.serving.gate import TRACING


@dataclass(frozen=True, eq=False)
class Classification:
    """The model's answer for one example: one label, which may be `neither`, or a set of labels.

    probabilities: float32 [C], in the order of the class names. feature: float32 [D].
    """

    label: str | None
    labels: tuple[str, ...] | None
    confidence: float | None
    known_score: float | None
    probabilities: "np.ndarray[Any, np.dtype[np.float32]]"
    feature: Tensor

    def explained(self, class_names: Sequence[str]) -> tuple[str, ...]:
        """The classes to explain: the named ones, or the most probable class if none is named."""
        named = self.labels if self.labels is not None else [self.label]
        found = tuple(name for name in class_names if name in named)
        return found or (class_names[int(self.probabilities.argmax())],)


@dataclass(frozen=True, eq=False)
class Classifier:
    """A model that is ready to answer; every method is safe to call from threads. gallery and nearness: None if the model has no gallery."""

    predictor: Predictor
    engine: ServingEngine
    reader: Reader
    gallery: Gallery | None
    nearness: Nearness | None

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of the probabilities."""
        return self.predictor.class_names

    def decode(self, content: bytes) -> Batch:
        """Prepare an example's bytes for the backbone, in the same way as the training examples.

        Raises:
            BadExample: the bytes are no example, or damaged, or larger than the limits before or after the preparation.
        """
        return self.reader.prepare(content)

    def say(self, examples: Sequence[Batch]) -> list[Classification]:
        """The model's answers for examples, each prepared by `decode`."""
        with torch.inference_mode():
            features = in_groups(examples, len(examples), self._features)
            given = answer(self.predictor.head, self.predictor.openness, features)
            return _classifications(given, features)

    def explain(self, content: bytes) -> Explanation | None:
        """The parts of an example that speak for and against each class, or the map of where the network looked; None if the kind has neither.

        Raises:
            BadExample: see `decode`.
        """
        return explain(content, self.predictor.backbone.kind, self.decode, self._log_odds)

    def _log_odds(self, examples: Sequence[Batch]) -> Tensor:
        with torch.inference_mode():
            return self.predictor.head.log_odds(in_groups(examples, len(examples), self._features))

    def _features(self, examples: Sequence[Batch]) -> Tensor:
        return self.engine.features(self.predictor.backbone.kind.collate(examples))[self.predictor.layer]

    def nearest(self, classification: Classification, count: int) -> list[tuple[int, float]]:
        """The rows of the gallery nearest to an example, the nearest first, each with its cosine similarity; empty without a gallery."""
        return [] if self.nearness is None else self.nearness.nearest(classification.feature, count)


def _classifications(given: Answer, features: Tensor) -> list[Classification]:
    columns, nothing = given.columns, [None] * len(features)
    labels, sets, confidences, scores = (
        columns.get(name, nothing) for name in ("label", "labels", "confidence", "known_score")
    )
    return [
        Classification(
            label,
            None if names is None else tuple(names),
            None if confidence is None else float(confidence),
            None if score is None else float(score),
            row,
            feature,
        )
        for label, names, confidence, score, row, feature in zip(
            labels, sets, confidences, scores, given.probabilities, features, strict=True
        )
    ]


def build_classifier(
    predictor: Predictor,
    gallery: Gallery | None,
    *,
    engine: EngineName,
    limits: Limits,
    workers: int,
    keep: Path | None = None,
) -> Classifier:
    """Choose the engine and warm everything up, which takes seconds. A gallery of other features than the model's is ignored.

    workers: number of threads that will call it at once. keep: the folder where converted networks are kept for the next time.
    """
    with TRACING.closed():
        backbone = predictor.backbone.only((predictor.layer,))
    chosen = choose_serving_engine(
        backbone, engine, backbone.kind.collate(_sample(predictor, gallery)), workers=workers, keep=keep
    )
    standardisation = predictor.head.on_features.standardisation
    fits = gallery is not None and len(gallery) > 0 and gallery.dim == len(standardisation.mean)
    classifier = Classifier(
        predictor=predictor,
        engine=chosen,
        reader=open_reader(backbone.preprocessing, limits),
        gallery=gallery if fits else None,
        nearness=Nearness.of(gallery, standardisation) if gallery is not None and fits else None,
    )
    _warm_up(classifier)
    return classifier


def _sample(predictor: Predictor, gallery: Gallery | None) -> list[Batch]:
    """Examples for the measurement of engines: previews of the gallery if the model takes them and there are enough, else made-up ones."""
    kind = predictor.backbone.kind
    contents = kind.samples(MICRO_BATCH)
    if gallery is not None and len(gallery) >= MICRO_BATCH and kind.previews_are_examples:
        chosen = [place * len(gallery) // MICRO_BATCH for place in range(MICRO_BATCH)]
        contents = [gallery.previews[place].content for place in chosen]
    return [predictor.prepare(content, Limits()) for content in contents]


def _warm_up(classifier: Classifier) -> None:
    """Answer a few examples, because the first answers are slow."""
    examples = _sample(classifier.predictor, classifier.gallery)
    with threads(1):
        for batch in (examples[:1], examples, examples[:1]):
            for classification in classifier.say(batch):
                classifier.nearest(classification, 1)
