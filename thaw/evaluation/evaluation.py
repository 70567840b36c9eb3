"""An evaluation: all measurements of a model on the test split, as frozen dataclasses."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thaw.evaluation.scrutiny import Scrutiny, Surroundings, scrutinise
from thaw.evaluation.selective import confidence_of
from thaw.foundation.statistics.bootstrap import USUAL, Estimate, IntArray, Resampling
from thaw.heads.open_set import Openness, Tuning
from thaw.params.sections import EvaluateParams
from thaw.strategies.baselines.transfer_gain import TransferGain
from thaw.strategies.certificate.record import Certificate
from thaw.targets.label_sets.metrics import LabelSetMetrics
from thaw.targets.one_label.metrics import ClassScore, Metrics, ReliabilityBin
from thaw.targets.predictions import Predictions
from thaw.targets.target import Target, TargetName, target_named


@dataclass(frozen=True)
class ModelDescription:
    """The making of the model. head_settings: names and values as text, for people. fingerprint: of the features."""

    architecture: str
    weights: str
    layer: str
    dim: int
    fingerprint: str
    strategy: str
    head: str
    head_settings: tuple[tuple[str, str], ...]
    training_examples: int


@dataclass(frozen=True)
class Shown:
    """A test example that is shown with the model's answer; `confidence` is the probability of its prediction, or with sets of its surest wrong decision; of
    right sets, of their least certain decision.

    labels, predicted: one name each, or a set.
    """

    digest: bytes
    path: str
    labels: tuple[str, ...]
    predicted: tuple[str, ...]
    confidence: float


@dataclass(frozen=True)
class Confusion:
    """How often examples labelled `label` were predicted as `predicted`; `share` is of the examples with that label."""

    label: str
    predicted: str
    count: int
    share: float


@dataclass(frozen=True)
class Baseline:
    """A simple predictor that needs no repetition, with its headline on the same rows."""

    name: str
    headline: Estimate


@dataclass(frozen=True)
class Rejections:
    """The rejections of a model that may answer `neither`, on the test examples, with its tuning.

    known: number of test examples of a known class. rejected: number of them that are rejected. right: number of the others that are right. unknown: number of
    test examples of the background class, and accepted: number of them that count as known; 0 without such a class.
    """

    tuning: Tuning
    known: int
    rejected: int
    right: int
    unknown: int
    accepted: int

    @property
    def false_rejects(self) -> float | None:
        """The share of known test examples that are rejected; None if there are none."""
        return self.rejected / self.known if self.known else None

    @property
    def accuracy_of_accepted(self) -> float | None:
        """The share of right answers among accepted known test examples; None if there are none."""
        return self.right / (self.known - self.rejected) if self.known > self.rejected else None

    @property
    def false_accepts(self) -> float | None:
        """The share of background test examples that are accepted; None if there are none."""
        return self.accepted / self.unknown if self.unknown else None


@dataclass(frozen=True)
class Evaluation:
    """The evaluation of a model on `n` test examples.

    target: of the labels. thresholds: the least probability at which each class is named; None: the most probable class is named. confusion, of: see
    `Target.matrix`. right: some right answers, the least sure and the surest. wrong: number of examples that are not wholly right. predicted: the advice's
    predicted headline; None: not predicted. certificate: None if none was requested. scrutiny: None if only the headline was asked for. groups: the number of
    groups of the test examples, over which the intervals are; None: they are over examples.
    """

    model: ModelDescription
    class_names: tuple[str, ...]
    n: int
    confidence: float
    target: TargetName
    thresholds: tuple[float, ...] | None
    metrics: Metrics | LabelSetMetrics
    classes: tuple[ClassScore, ...]
    confusion: IntArray
    of: IntArray
    reliability: tuple[ReliabilityBin, ...]
    mistakes: tuple[Shown, ...]
    right: tuple[Shown, ...]
    wrong: int
    baselines: tuple[Baseline, ...]
    transfer: TransferGain | None
    predicted: Estimate | None = None
    certificate: Certificate | None = None
    rejections: Rejections | None = None
    scrutiny: Scrutiny | None = None
    groups: int | None = None

    @property
    def judged_by(self) -> Target:
        """The target of the labels; it defines the headline."""
        return target_named(self.target)

    @property
    def headline(self) -> Estimate:
        """The metric that the page names first."""
        return headline_of(self.metrics, self.judged_by)


def headline_of(metrics: Metrics | LabelSetMetrics, target: Target) -> Estimate:
    """The metric that choices are made by."""
    value = getattr(metrics, target.headline)
    assert isinstance(value, Estimate)
    return value


def evaluate(
    predictions: Predictions,
    model: ModelDescription,
    params: EvaluateParams,
    *,
    resampling: Resampling = USUAL,
    thresholds: tuple[float, ...] | None = None,
    baselines: Sequence[tuple[str, Predictions]] = (),
    transfer: TransferGain | None = None,
    predicted: Estimate | None = None,
    certificate: Certificate | None = None,
    rejections: Rejections | None = None,
    surroundings: Surroundings | None = None,
) -> Evaluation:
    """Measure the predictions, and each baseline (its name, and its predictions for the same rows). surroundings: of the rows; None: no scrutiny."""
    target = predictions.target
    confusion, of = target.matrix(predictions)

    def measured(these: Predictions) -> Metrics | LabelSetMetrics:
        return target.measure(these, bins=params.bins, resampling=resampling)

    return Evaluation(
        model=model,
        class_names=predictions.class_names,
        n=len(predictions),
        confidence=resampling.confidence,
        target=target.name,
        thresholds=thresholds,
        metrics=measured(predictions),
        classes=target.class_scores(predictions),
        confusion=confusion,
        of=of,
        reliability=target.reliability(predictions, params.bins),
        mistakes=confident_mistakes(predictions, params.mistakes),
        right=right_answers(predictions, params.right),
        wrong=int((predictions.named != predictions.shown).any(1).sum()),
        baselines=tuple(Baseline(name, headline_of(measured(these), target)) for name, these in baselines),
        transfer=transfer,
        predicted=predicted,
        certificate=certificate,
        rejections=rejections,
        scrutiny=None if surroundings is None else scrutinise(predictions, surroundings, params, resampling),
        groups=None if predictions.groups is None else len(np.unique(predictions.groups)),
    )


def count_rejections(openness: Openness, accepted: NDArray[np.bool_], predictions: Predictions) -> Rejections:
    """The rejections of a model's predictions; accepted: bool [N], row for row."""
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


def confident_mistakes(predictions: Predictions, count: int) -> tuple[Shown, ...]:
    """The `count` mistakes that the model was surest of, the surest first; ties go by path."""
    sure = predictions.target.sure_mistakes(predictions)
    ranked = sorted(np.flatnonzero(sure >= 0), key=lambda row: (-sure[row], predictions.paths[row]))
    return tuple(_shown(predictions, int(row), sure[row]) for row in ranked[:count])


def right_answers(predictions: Predictions, count: int) -> tuple[Shown, ...]:
    """`count` right answers, half of them the least sure and half the surest, rising; ties go by path."""
    sure, wrong = confidence_of(predictions), (predictions.named != predictions.shown).any(1)
    ranked = sorted(np.flatnonzero(~wrong), key=lambda row: (sure[row], predictions.paths[row]))
    least = ranked[: (count + 1) // 2]
    surest = ranked[len(least) :][-(count // 2) :] if count > 1 else []
    return tuple(_shown(predictions, int(row), sure[row]) for row in (*least, *surest))


def _shown(predictions: Predictions, row: int, confidence: float) -> Shown:
    return Shown(
        digest=predictions.digests[row],
        path=predictions.paths[row],
        labels=predictions.names(predictions.shown[row]),
        predicted=predictions.names(predictions.named[row]),
        confidence=float(confidence),
    )


def top_confusions(evaluation: Evaluation, count: int) -> tuple[Confusion, ...]:
    """The `count` most frequent pairs of a label and a wrong prediction, the most frequent first."""
    off = evaluation.confusion.copy()
    np.fill_diagonal(off, 0)
    order = np.argsort(-off, axis=None, kind="stable")[:count]
    pairs = [(int(place // len(off)), int(place % len(off))) for place in order]
    names, of = evaluation.class_names, evaluation.of
    return tuple(
        Confusion(names[row], names[column], int(off[row, column]), float(off[row, column] / of[row, column]))
        for row, column in pairs
        if off[row, column]
    )
