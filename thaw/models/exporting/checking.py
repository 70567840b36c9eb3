"""An export is run before it is handed out: it must say of real images what the model itself says."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from thaw.foundation.errors import BadExport
from thaw.kinds.batches import Batch
from thaw.models.agreement import Agreement, agreement_of
from thaw.models.answer import Answer
from thaw.models.exporting.formats import Runner
from thaw.models.exporting.graph import answer_of
from thaw.models.predictor import Predictor

AT_ONCE = 32


@dataclass(frozen=True)
class Tolerance:
    """difference: no probability may lie further from the model's. score: nor a known score, as a share of 1 + its size.

    beyond: the share of images that may break that: neighbours that are equally near may be taken in another order. labels: the share of images that must have
    the same label; where two classes are equally probable, rounding decides.
    """

    difference: float
    score: float
    beyond: float
    labels: float


SMOOTH = Tolerance(difference=1e-3, score=1e-3, beyond=0.0, labels=0.99)
NEIGHBOURS = Tolerance(difference=1e-3, score=1e-3, beyond=0.02, labels=0.98)
"""Of rounding: sharp heads (temperatures down to 0.02) multiply the last digits of the features by up to 50."""


@dataclass(frozen=True)
class Checked:
    """How an export was checked: by which runtime, on how many images, and how far it agrees with the model."""

    runtime: str
    images: int
    agreement: Agreement
    tolerance: Tolerance


def run_all(predictor: Predictor, runner: Runner, examples: Sequence[Batch]) -> Answer:
    """What an exported graph says of examples, each as `Predictor.prepare` gives it: the first by itself, the others in batches.

    So the batch is seen to be dynamic.
    """
    found = [runner.run(predictor.backbone.kind.collate(batch)) for batch in _batches(examples)]
    return answer_of(predictor, [np.concatenate(parts) for parts in zip(*found, strict=True)])


def check(predictor: Predictor, runner: Runner, examples: Sequence[Batch]) -> Checked:
    """Compare an exported graph with the model on examples, each as `Predictor.prepare` gives it.

    Raises:
        BadExport: there are no images, or it differs by more than the tolerance.
    """
    if not examples:
        raise BadExport("there is no example to check the export on; name some with --images")
    own, exported = predictor.predict(examples), run_all(predictor, runner, examples)
    agreement, tolerance = agreement_of(own, exported), tolerance_of(predictor)
    beyond = float((~_within(own, exported, tolerance)).mean())
    if beyond > tolerance.beyond or agreement.labels_equal < tolerance.labels:
        raise BadExport(
            f"the export does not say what the model says: on {len(examples)} images, as {runner.name} runs it, a probability differs by up to "
            f"{agreement.largest_difference:.2g} ({tolerance.difference:g} is allowed, and {beyond:.1%} of the images break the tolerance), and "
            f"{agreement.labels_equal:.1%} of the labels are equal; nothing was written, try the other --format"
        )
    return Checked(runner.name, len(examples), agreement, tolerance)


def tolerance_of(predictor: Predictor) -> Tolerance:
    """How far the export of a model may lie from it."""
    return NEIGHBOURS if predictor.head.kind == "knn" else SMOOTH


def _within(own: Answer, exported: Answer, tolerance: Tolerance) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which images have all numbers within the tolerance: bool [N]; what is no number lies beyond."""
    differences = np.abs(own.probabilities - exported.probabilities).max(1)
    within: np.ndarray[tuple[int], np.dtype[np.bool_]] = differences <= tolerance.difference
    if own.known_scores is not None:
        assert exported.known_scores is not None
        within &= np.abs(own.known_scores - exported.known_scores) <= tolerance.score * (1 + np.abs(own.known_scores))
    return within


def _batches(examples: Sequence[Batch]) -> Iterator[Sequence[Batch]]:
    yield examples[:1]
    for start in range(1, len(examples), AT_ONCE):
        yield examples[start : start + AT_ONCE]
