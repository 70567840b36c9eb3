"""The comparison of a rebuilt model with its record: the manifest row by row, predictions and metrics within a tolerance.

The same code, data, parameters and packages on the same processor give the same bytes. Another processor, or another number of threads, adds the same
numbers in another order and rounds differently, and training enlarges the difference. So probabilities may differ a little, within a stated tolerance.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thaw.dataset.manifest import Example, Manifest
from thaw.targets.predictions import Predictions

TOLERANCE = 0.01
"""The largest difference of a probability, or of a metric of `JUDGED`, that counts as agreement."""
JUDGED = ("accuracy", "exact_match", "macro_f1")


@dataclass(frozen=True)
class ManifestDifference:
    """The paths that differ, sorted: `gone` and `added` paths, those `changed` in their bytes, those `relabelled` in their label or split."""

    gone: tuple[str, ...]
    added: tuple[str, ...]
    changed: tuple[str, ...]
    relabelled: tuple[str, ...]

    @property
    def none(self) -> bool:
        return not (self.gone or self.added or self.changed or self.relabelled)


@dataclass(frozen=True)
class Measured:
    """One metric, as recorded and as rebuilt."""

    name: str
    recorded: float
    rebuilt: float

    @property
    def difference(self) -> float:
        return abs(self.recorded - self.rebuilt)


@dataclass(frozen=True)
class Agreement:
    """The agreement of the rebuilt model's predictions with the recorded ones, on the test examples that both have.

    rows: number of these examples. missing, added: numbers of test examples that only one side has. same_truth: whether the true labels are the same.
    largest_difference: of a probability. labels_equal: the share of examples for which both name the same labels.
    """

    rows: int
    missing: int
    added: int
    same_truth: bool
    largest_difference: float
    labels_equal: float
    metrics: tuple[Measured, ...]
    tolerance: float = TOLERANCE

    @property
    def agrees(self) -> bool:
        """Whether test examples and labels are the same, and every value is within the tolerance."""
        same = self.rows > 0 and not self.missing and not self.added and self.same_truth
        judged = (metric.difference <= self.tolerance for metric in self.metrics if metric.name in JUDGED)
        return same and self.largest_difference <= self.tolerance and all(judged)


def compare_manifests(recorded: Manifest, rebuilt: Manifest) -> ManifestDifference:
    """Compare row by row, by path."""
    before = {example.path: example for example in recorded.examples()}
    after = {example.path: example for example in rebuilt.examples()}
    both = sorted(before.keys() & after.keys())
    same_bytes = [path for path in both if before[path].digest == after[path].digest]
    return ManifestDifference(
        gone=tuple(sorted(before.keys() - after.keys())),
        added=tuple(sorted(after.keys() - before.keys())),
        changed=tuple(sorted(set(both) - set(same_bytes))),
        relabelled=tuple(
            path for path in same_bytes if _labels_and_split(before[path]) != _labels_and_split(after[path])
        ),
    )


def compare_predictions(
    recorded: Predictions,
    rebuilt: Predictions,
    metrics: tuple[Mapping[str, float], Mapping[str, float]],
    tolerance: float = TOLERANCE,
) -> Agreement:
    """Compare row by row, by digest and path; metrics: of the test, as recorded and as rebuilt."""
    before, after = _rows(recorded), _rows(rebuilt)
    both = [key for key in before if key in after]
    here, there = [before[key] for key in both], [after[key] for key in both]
    comparable = recorded.target == rebuilt.target and recorded.class_names == rebuilt.class_names
    if not comparable or not both:
        return Agreement(
            0, len(before), len(after), same_truth=False, largest_difference=1.0, labels_equal=0.0,
            metrics=_measured(*metrics), tolerance=tolerance,
        )  # fmt: skip
    difference = np.abs(recorded.probabilities[here].astype(np.float64) - rebuilt.probabilities[there])
    before_named, after_named = recorded.named[here], rebuilt.named[there]
    return Agreement(
        rows=len(both),
        missing=len(before) - len(both),
        added=len(after) - len(both),
        same_truth=bool(np.array_equal(recorded.targets[here], rebuilt.targets[there])),
        largest_difference=float(difference.max()),
        labels_equal=float((before_named == after_named).all(1).mean()),
        metrics=_measured(*metrics),
        tolerance=tolerance,
    )


def _rows(predictions: Predictions) -> dict[tuple[bytes, str], int]:
    pairs = zip(predictions.digests, predictions.paths, strict=True)
    return {pair: number for number, pair in enumerate(pairs)}


def _measured(recorded: Mapping[str, float], rebuilt: Mapping[str, float]) -> tuple[Measured, ...]:
    both = [name for name in recorded if name in rebuilt and name != "n" and not name.endswith(("_low", "_high"))]
    return tuple(Measured(name, float(recorded[name]), float(rebuilt[name])) for name in both)


def _labels_and_split(example: Example) -> tuple[object, ...]:
    return example.names, example.split
