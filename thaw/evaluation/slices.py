"""The test, slice by slice: what a model reaches at each hospital, or with each scanner."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thaw.dataset.slices import Slices
from thaw.foundation.statistics.bootstrap import Estimate, FloatArray, IntArray
from thaw.foundation.statistics.clustered import mean_interval, ratio_interval, share_interval
from thaw.targets.predictions import Predictions
from thaw.targets.target import BoolArray

FEW = 10
"""Slices of fewer groups are marked: their intervals say little."""


@dataclass(frozen=True)
class SliceScore:
    """The test examples with one value of a column; value None: it is not stated. groups: of the rows, such as patients.

    accuracy: the share of rows that are wholly right. recall: the mean over the classes that the rows show; None: they show none. overconfidence: the mean
    probability of what is named, or with label sets of all decisions, minus the share that is right; above 0 the model is too sure.
    """

    column: str
    value: str | None
    rows: int
    groups: int
    accuracy: Estimate
    recall: Estimate | None
    overconfidence: Estimate

    @property
    def few(self) -> bool:
        """Whether there are too few groups to say much."""
        return self.groups < FEW


def score_slices(
    predictions: Predictions, slices: Slices, groups: IntArray, confidence: float
) -> tuple[SliceScore, ...]:
    """The scores of every value of every column, in the order of the columns and of the values, those that are not stated last.

    slices: row for row. groups: int64 [N], rows of a group are not independent. The intervals are over groups.
    """
    return tuple(
        _score(predictions, (name, value), rows, groups[rows], confidence) for name, value, rows in rows_of(slices)
    )


def rows_of(slices: Slices) -> Iterator[tuple[str, str | None, NDArray[np.intp]]]:
    """Every column with every value, and the rows of that value."""
    for name in slices.names:
        column = slices.column(name)
        for value in sorted(set(column), key=lambda each: (each is None, each or "")):
            yield name, value, np.flatnonzero([each == value for each in column])


def _score(
    predictions: Predictions,
    of: tuple[str, str | None],
    rows: NDArray[np.intp],
    groups: IntArray,
    confidence: float,
) -> SliceScore:
    named, shown, target = predictions.named[rows], predictions.shown[rows], predictions.target
    gaps = target.confidences(predictions.probabilities[rows]).astype(np.float64) - target.outcomes(named, shown)
    return SliceScore(
        *of,
        rows=len(rows),
        groups=len(np.unique(groups)),
        accuracy=share_interval((named == shown).all(1).astype(np.float64), groups, confidence),
        recall=mean_recall(named, shown, groups, confidence),
        overconfidence=mean_interval(gaps.mean(1), groups, confidence),
    )


def mean_recall(named: BoolArray, shown: BoolArray, groups: IntArray, confidence: float) -> Estimate | None:
    """The mean recall over the classes that some row shows, bool [N, C] each, with its interval over groups, int64 [N]; None: no row shows a class."""
    counts = shown.sum(0)
    known = counts > 0
    if not known.any():
        return None
    recalls: FloatArray = (named & shown).sum(0)[known] / counts[known]
    parts = shown[:, known] * (named[:, known] - recalls) / counts[known]
    return ratio_interval(float(recalls.mean()), parts.sum(1) / len(recalls), groups, confidence)
