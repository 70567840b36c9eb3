"""How well probabilities tell the examples of a class from all others: AUROC, average precision, and operating points, with intervals over groups."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from thaw.foundation.statistics.bootstrap import (
    Estimate,
    FloatArray,
    IntArray,
    Resampling,
    percentile_interval,
    resampled_groups,
)
from thaw.targets.operating_points import Aim, OperatingPoint, Rates, rates_at, threshold_at
from thaw.targets.predictions import Predictions
from thaw.targets.target import BoolArray

CURVE = 200
"""The most points of a drawn curve."""


@dataclass(frozen=True)
class ClassRanking:
    """The ranking of test rows by the probability of one class. roc: shares of false positives and of true positives, rising, from 0 to 1.

    points: empty if there are no validation rows with and without the class.
    """

    name: str
    positives: int
    negatives: int
    auroc: Estimate
    average_precision: Estimate
    roc: tuple[tuple[float, float], ...]
    points: tuple[OperatingPoint, ...]


def rank_classes(
    predictions: Predictions,
    validation: Predictions | None,
    stated: tuple[tuple[Aim, float], ...],
    groups: IntArray,
    resampling: Resampling,
) -> tuple[ClassRanking, ...]:
    """The ranking of each class that some test rows show and some do not.

    validation: the same model's predictions, by which thresholds are chosen; None: there are no operating points. groups: int64 [N], of the test rows.
    """
    shown, rankings = predictions.shown, []
    for place, name in enumerate(predictions.class_names):
        column, own = predictions.probabilities[:, place], shown[:, place]
        if own.all() or not own.any():
            continue
        auroc, precision = _measured(column, own, groups, resampling)
        rates = partial(rates_at, probabilities=column, shown=own, groups=groups, confidence=resampling.confidence)
        points = () if validation is None else tuple(_points(validation, place, stated, rates))
        positives = int(own.sum())
        rankings.append(
            ClassRanking(name, positives, len(own) - positives, auroc, precision, _curve(column, own), points)
        )
    return tuple(rankings)


def _points(
    validation: Predictions, place: int, stated: tuple[tuple[Aim, float], ...], rates: Callable[[float], Rates]
) -> Iterator[OperatingPoint]:
    for aim, rate in stated:
        threshold = threshold_at(aim, rate, validation.probabilities[:, place], validation.shown[:, place])
        if threshold is not None:
            yield OperatingPoint(aim, rate, threshold, rates(threshold))


def _measured(
    column: NDArray[np.floating], shown: BoolArray, groups: IntArray, resampling: Resampling
) -> tuple[Estimate, Estimate]:
    """AUROC and average precision, with percentile intervals over groups; resamples without the class, or of it alone, do not count."""
    values = areas(column, shown, np.ones((1, len(shown))))[:, 0]
    drawn = np.concatenate([areas(column, shown, counts) for counts in resampled_groups(groups, resampling)], axis=1)
    drawn = drawn[:, np.isfinite(drawn[0])] if np.isfinite(drawn[0]).any() else values[:, None]
    auroc, precision = (
        percentile_interval(float(value), replicates, resampling.confidence)
        for value, replicates in zip(values, drawn, strict=True)
    )
    return _never_without_width(auroc, shown, groups, resampling.confidence), precision


def areas(column: NDArray[np.floating], shown: BoolArray, counts: FloatArray) -> FloatArray:
    """AUROC and average precision of resamples, float64 [2, R], not a number where one of the two sides is missing.

    counts [R, N]: the number of draws of each row. The rows are sorted once, and equal probabilities are named together.
    """
    order = np.argsort(-column, kind="stable")
    last = np.append(np.diff(column[order]) != 0, True)
    drawn = counts[:, order]
    found, named = (drawn * shown[order]).cumsum(1)[:, last], drawn.cumsum(1)[:, last]
    false = named - found
    gained, wrong = (np.diff(each, axis=1, prepend=0.0) for each in (found, false))
    with np.errstate(invalid="ignore", divide="ignore"):
        auroc = (wrong * (found - gained / 2)).sum(1) / (found[:, -1] * false[:, -1])
        precision = np.divide(found, named, out=np.zeros_like(found), where=named > 0)
        average = (gained * precision).sum(1) / found[:, -1]
    return np.stack([auroc, np.where(np.isfinite(auroc), average, np.nan)])


def _never_without_width(auroc: Estimate, shown: BoolArray, groups: IntArray, confidence: float) -> Estimate:
    """The AUROC with Clopper and Pearson's interval if the ranking is perfect, or perfectly wrong: as many groups of each side make as many independent
    pairs."""
    if 0 < auroc.value < 1:
        return auroc
    pairs = min(len(np.unique(groups[shown])), len(np.unique(groups[~shown])))
    nearest = ((1 - confidence) / 2) ** (1 / pairs)
    return Estimate(1.0, nearest, 1.0) if auroc.value else Estimate(0.0, 0.0, 1 - nearest)


def _curve(column: NDArray[np.floating], shown: BoolArray) -> tuple[tuple[float, float], ...]:
    """The receiver operating characteristic, at `CURVE` points at most."""
    order = np.argsort(-column, kind="stable")
    last = np.flatnonzero(np.append(np.diff(column[order]) != 0, True))
    found, named = shown[order].cumsum()[last], last + 1
    true, false = np.append(0.0, found / shown.sum()), np.append(0.0, (named - found) / (~shown).sum())
    kept = np.unique(np.linspace(0, len(true) - 1, CURVE).round().astype(int))
    return tuple(zip(false[kept].tolist(), true[kept].tolist(), strict=True))
