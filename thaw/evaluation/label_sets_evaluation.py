"""An evaluation of a model that names label sets: everything that is measured on the test split, as frozen dataclasses."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thaw.evaluation.evaluation import ModelDescription
from thaw.foundation.statistics.bootstrap import USUAL, IntArray, Resampling
from thaw.params.sections import EvaluateParams
from thaw.targets.label_sets.metrics import (
    LabelScore,
    LabelSetMetrics,
    beside,
    label_scores,
    measure_sets,
    reliability_of_sets,
)
from thaw.targets.one_label.metrics import ReliabilityBin
from thaw.targets.predictions import Predictions


@dataclass(frozen=True)
class SetMistake:
    """A test image whose set is not right; `certainty` is the probability that the model gave its surest wrong decision."""

    digest: bytes
    path: str
    labels: tuple[str, ...]
    predicted: tuple[str, ...]
    certainty: float


@dataclass(frozen=True)
class SetBaseline:
    """A simple predictor, with its metrics on the same rows."""

    name: str
    metrics: LabelSetMetrics


@dataclass(frozen=True)
class LabelSetEvaluation:
    """What the model does on `n` test images. thresholds: from which probability on each class is named. found, of:
    see `thaw.targets.label_sets.metrics.beside`.

    wrong: images whose set is not right. left_out: baselines that were asked for, and that label sets have not got.
    """

    model: ModelDescription
    class_names: tuple[str, ...]
    thresholds: tuple[float, ...]
    n: int
    confidence: float
    metrics: LabelSetMetrics
    classes: tuple[LabelScore, ...]
    found: IntArray
    of: IntArray
    reliability: tuple[ReliabilityBin, ...]
    mistakes: tuple[SetMistake, ...]
    wrong: int
    baselines: tuple[SetBaseline, ...]
    left_out: tuple[str, ...]


def evaluate_sets(
    predictions: Predictions,
    model: ModelDescription,
    thresholds: tuple[float, ...],
    params: EvaluateParams,
    *,
    resampling: Resampling = USUAL,
    baselines: Sequence[tuple[str, Predictions]] = (),
    left_out: tuple[str, ...] = (),
) -> LabelSetEvaluation:
    """Measure the predictions, and those of each baseline on the same rows."""

    def measured(said: Predictions) -> LabelSetMetrics:
        return measure_sets(said.probabilities, said.named, said.shown, bins=params.bins, resampling=resampling)

    named, targets = predictions.named, predictions.shown
    found, of = beside(named, targets)
    return LabelSetEvaluation(
        model=model,
        class_names=predictions.class_names,
        thresholds=thresholds,
        n=len(predictions),
        confidence=resampling.confidence,
        metrics=measured(predictions),
        classes=label_scores(predictions.probabilities, named, targets, predictions.class_names),
        found=found,
        of=of,
        reliability=reliability_of_sets(predictions.probabilities, targets, params.bins),
        mistakes=surest_mistakes(predictions, params.mistakes),
        wrong=int((named != targets).any(1).sum()),
        baselines=tuple(SetBaseline(name, measured(said)) for name, said in baselines),
        left_out=left_out,
    )


def surest_mistakes(predictions: Predictions, count: int) -> tuple[SetMistake, ...]:
    """The `count` rows with the surest wrong decision, the surest first; ties go by path."""
    said = predictions.probabilities.astype(np.float64)
    sure = np.where(predictions.named, said, 1 - said)
    certainty = np.where(predictions.named != predictions.shown, sure, -1.0).max(1)
    ranked = sorted(np.flatnonzero(certainty >= 0), key=lambda row: (-certainty[row], predictions.paths[row]))
    return tuple(
        SetMistake(
            digest=predictions.digests[row],
            path=predictions.paths[row],
            labels=predictions.names(predictions.shown[row]),
            predicted=predictions.names(predictions.named[row]),
            certainty=float(certainty[row]),
        )
        for row in ranked[:count]
    )
