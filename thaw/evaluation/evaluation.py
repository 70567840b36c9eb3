"""An evaluation: everything that is measured of a model on the test split, as frozen dataclasses."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thaw.foundation.statistics.bootstrap import USUAL, Estimate, IntArray, Resampling
from thaw.heads.open_set import Openness, Tuning
from thaw.params.sections import EvaluateParams
from thaw.strategies.baselines.transfer_gain import TransferGain
from thaw.strategies.certificate.record import Certificate
from thaw.targets.one_label.metrics import (
    ClassScore,
    Metrics,
    Probabilities,
    ReliabilityBin,
    class_scores,
    confusion_matrix,
    measure,
    reliability,
)
from thaw.targets.predictions import Predictions


@dataclass(frozen=True)
class ModelDescription:
    """How the model was made. `head_settings` holds names and values as text, for people; `fingerprint` is of the features."""

    architecture: str
    weights: str
    layer: str
    dim: int
    fingerprint: str
    strategy: str
    head: str
    head_settings: tuple[tuple[str, str], ...]
    training_images: int


@dataclass(frozen=True)
class Mistake:
    """A test image that the model gets wrong; `confidence` is the probability of what it predicted."""

    digest: bytes
    path: str
    label: str
    predicted: str
    confidence: float


@dataclass(frozen=True)
class Confusion:
    """How often images labelled `label` were predicted as `predicted`; `share` is of the images with that label."""

    label: str
    predicted: str
    count: int
    share: float


@dataclass(frozen=True)
class Baseline:
    """A simple predictor that needs no repetition, with its metrics on the same rows."""

    name: str
    metrics: Metrics


@dataclass(frozen=True)
class Rejections:
    """What a model that may say `neither` does to the test images, and what its tuning found.

    known: test images of a known class; rejected: how many of them it rejects; right: how many of the others it is right on. unknown: test images of the
    background class, and accepted: how many of them it takes for a known class; 0 where there is no such class.
    """

    tuning: Tuning
    known: int
    rejected: int
    right: int
    unknown: int
    accepted: int

    @property
    def false_rejects(self) -> float | None:
        """The share of known test images that are rejected; None where there are none."""
        return self.rejected / self.known if self.known else None

    @property
    def accuracy_of_accepted(self) -> float | None:
        """The share that is right of known test images that are accepted; None where there are none."""
        return self.right / (self.known - self.rejected) if self.known > self.rejected else None

    @property
    def false_accepts(self) -> float | None:
        """The share of background test images that are accepted; None where there are none."""
        return self.accepted / self.unknown if self.unknown else None


@dataclass(frozen=True)
class Evaluation:
    """What the model does on `n` test images. confusion: int64 [C, C], row is the label, column the prediction. predicted: the accuracy that the advice
    foretold; None: it could not. certificate: None where none was asked for."""

    model: ModelDescription
    class_names: tuple[str, ...]
    n: int
    confidence: float
    metrics: Metrics
    classes: tuple[ClassScore, ...]
    confusion: IntArray
    reliability: tuple[ReliabilityBin, ...]
    mistakes: tuple[Mistake, ...]
    wrong: int
    baselines: tuple[Baseline, ...]
    transfer: TransferGain | None
    predicted: Estimate | None = None
    certificate: Certificate | None = None
    rejections: Rejections | None = None


def evaluate(
    predictions: Predictions,
    model: ModelDescription,
    params: EvaluateParams,
    *,
    resampling: Resampling = USUAL,
    baselines: Sequence[tuple[str, Probabilities]] = (),
    transfer: TransferGain | None = None,
    predicted: Estimate | None = None,
    certificate: Certificate | None = None,
    rejections: Rejections | None = None,
) -> Evaluation:
    """Measure the predictions, and each baseline (its name, probabilities [N, C]) on the same rows."""
    targets, classes = predictions.classes, len(predictions.class_names)
    confusion = confusion_matrix(predictions.predicted, targets, classes)

    def measured(probabilities: Probabilities) -> Metrics:
        return measure(probabilities, targets, bins=params.bins, resampling=resampling)

    return Evaluation(
        model=model,
        class_names=predictions.class_names,
        n=len(predictions),
        confidence=resampling.confidence,
        metrics=measured(predictions.probabilities),
        classes=class_scores(confusion, predictions.class_names),
        confusion=confusion,
        reliability=reliability(predictions.probabilities, targets, params.bins),
        mistakes=confident_mistakes(predictions, params.mistakes),
        wrong=int(confusion.sum() - np.trace(confusion)),
        baselines=tuple(Baseline(name, measured(probabilities)) for name, probabilities in baselines),
        transfer=transfer,
        predicted=predicted,
        certificate=certificate,
        rejections=rejections,
    )


def count_rejections(openness: Openness, accepted: NDArray[np.bool_], predictions: Predictions) -> Rejections:
    """Which predictions a model would not have made; accepted: bool [N], row for row."""
    names = predictions.class_names
    known = predictions.classes != (-1 if openness.background is None else names.index(openness.background))
    return Rejections(
        tuning=openness.tuning,
        known=int(known.sum()),
        rejected=int((known & ~accepted).sum()),
        right=int((known & accepted & (predictions.predicted == predictions.classes)).sum()),
        unknown=int((~known).sum()),
        accepted=int((~known & accepted).sum()),
    )


def confident_mistakes(predictions: Predictions, count: int) -> tuple[Mistake, ...]:
    """The `count` wrong predictions of the highest confidence, the most confident first; ties go by path."""
    wrong = np.flatnonzero(predictions.predicted != predictions.classes)
    ranked = sorted(wrong, key=lambda row: (-predictions.confidences[row], predictions.paths[row]))
    return tuple(_mistake(predictions, int(row)) for row in ranked[:count])


def _mistake(predictions: Predictions, row: int) -> Mistake:
    return Mistake(
        digest=predictions.digests[row],
        path=predictions.paths[row],
        label=predictions.class_names[predictions.classes[row]],
        predicted=predictions.class_names[predictions.predicted[row]],
        confidence=float(predictions.confidences[row]),
    )


def top_confusions(evaluation: Evaluation, count: int) -> tuple[Confusion, ...]:
    """The `count` pairs of label and wrong prediction that occur most, the most frequent first."""
    off = evaluation.confusion.copy()
    np.fill_diagonal(off, 0)
    order = np.argsort(-off, axis=None, kind="stable")[:count]
    pairs = [(int(place // len(off)), int(place % len(off))) for place in order]
    names, totals = evaluation.class_names, evaluation.confusion.sum(1)
    return tuple(
        Confusion(names[row], names[column], int(off[row, column]), float(off[row, column] / totals[row]))
        for row, column in pairs
        if off[row, column]
    )
