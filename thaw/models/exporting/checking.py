"""The check of an export before it is handed out: on real examples its answers must agree with the model's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from thaw.foundation.errors import BadExport
from thaw.kinds.batches import Batch
from thaw.models.agreement import Agreement, agreement_of
from thaw.models.exporting.formats import Format, Runner
from thaw.models.exporting.graph import answer_of
from thaw.models.prediction.answer import Answer
from thaw.models.prediction.predictor import Predictor

AT_ONCE = 32


@dataclass(frozen=True)
class Tolerance:
    """The limits of an export. difference: the largest difference of a probability from the model's. score: of a known score, as a share of 1 + its size.

    beyond: the share of examples that may exceed these, because equally near neighbours may be taken in another order. labels: the share of examples that
    must have the same label; between two equally probable classes rounding decides.
    """

    difference: float
    score: float
    beyond: float
    labels: float


SMOOTH = Tolerance(difference=1e-3, score=1e-3, beyond=0.0, labels=0.99)
NEIGHBOURS = Tolerance(difference=1e-3, score=1e-3, beyond=0.02, labels=0.98)
"""The tolerances allow for rounding: sharp heads (temperatures down to 0.02) multiply the last digits of the features by up to 50."""
INT8 = Tolerance(difference=0.1, score=0.1, beyond=0.05, labels=0.98)
"""With integers of 8 bits, probabilities between two classes move, and labels must stay."""


@dataclass(frozen=True)
class Checked:
    """The result of a check: the runtime, the number of examples, and the agreement with the model."""

    runtime: str
    examples: int
    agreement: Agreement
    tolerance: Tolerance


def run_all(predictor: Predictor, runner: Runner, examples: Sequence[Batch]) -> Answer:
    """An exported graph's answer for examples, each prepared by `Predictor.prepare`: the first by itself, the others in batches.

    So the check covers the dynamic size of the batch.
    """
    outputs = [runner.run(batch) for batch in in_batches(predictor, examples)]
    return answer_of(predictor, [np.concatenate(parts) for parts in zip(*outputs, strict=True)])


def check(predictor: Predictor, runner: Runner, examples: Sequence[Batch], format_: Format = Format.ONNX) -> Checked:
    """Compare an exported graph with the model on examples, each prepared by `Predictor.prepare`.

    Raises:
        BadExport: there are no examples, or the graph differs by more than the tolerance.
    """
    if not examples:
        raise BadExport("there is no example to check the export on; name some with --examples")
    own, exported = predictor.predict(examples), run_all(predictor, runner, examples)
    agreement, tolerance = agreement_of(own, exported), tolerance_of(predictor, format_)
    beyond = float((~_within(own, exported, tolerance)).mean())
    if beyond > tolerance.beyond or agreement.labels_equal < tolerance.labels:
        way_out = "export without --int8" if format_ is Format.INT8 else "try the other --format"
        raise BadExport(
            f"the export differs from the model: on {len(examples)} examples, run by {runner.name}, a probability differs by up to "
            f"{agreement.largest_difference:.2g} ({tolerance.difference:g} is allowed, and {beyond:.1%} of the examples break the tolerance), and "
            f"{agreement.labels_equal:.1%} of the labels are equal; nothing was written, {way_out}"
        )
    return Checked(runner.name, len(examples), agreement, tolerance)


def tolerance_of(predictor: Predictor, format_: Format) -> Tolerance:
    """The tolerance of the export of a model."""
    if format_ is Format.INT8:
        return INT8
    return NEIGHBOURS if predictor.head.kind == "knn" else SMOOTH


def _within(own: Answer, exported: Answer, tolerance: Tolerance) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether all numbers of each example lie within the tolerance: bool [N]; NaN lies beyond."""
    differences = np.abs(own.probabilities - exported.probabilities).max(1)
    within: np.ndarray[tuple[int], np.dtype[np.bool_]] = differences <= tolerance.difference
    if own.known_scores is not None:
        assert exported.known_scores is not None
        within &= np.abs(own.known_scores - exported.known_scores) <= tolerance.score * (1 + np.abs(own.known_scores))
    return within


def in_batches(predictor: Predictor, examples: Sequence[Batch]) -> Iterator[Batch]:
    """Prepared examples as batches: the first by itself, then `AT_ONCE` together."""
    starts = [0, *range(1, len(examples), AT_ONCE)]
    for start, end in pairwise([*starts, len(examples)]):
        if start < end:
            yield predictor.backbone.kind.collate(examples[start:end])
