"""What a careful reader asks beyond the headline: how classes are told apart, what holds in each slice, and which answers can be relied on."""

from dataclasses import dataclass

from thaw.dataset.slices import Slices
from thaw.evaluation.selective import Selective, measure_selective
from thaw.evaluation.slices import SliceScore, rows_of, score_slices
from thaw.foundation.statistics.bootstrap import IntArray, Resampling
from thaw.foundation.statistics.clustered import each_its_own
from thaw.params.sections import EvaluateParams
from thaw.targets.operating_points import Aim, OperatingPoint, Rates, rates_at
from thaw.targets.predictions import Predictions
from thaw.targets.ranking import ClassRanking, rank_classes


@dataclass(frozen=True)
class Surroundings:
    """What is known of the test rows beside their labels and groups.

    slices: row for row; None: none are named. validation: the model's predictions on rows that it did not learn from; None: there are none.
    """

    slices: Slices | None = None
    validation: Predictions | None = None


@dataclass(frozen=True)
class PointInSlice:
    """The rates of a class's operating point on the test rows with one value of a column; value None: it is not stated."""

    name: str
    point: OperatingPoint
    column: str
    value: str | None
    rates: Rates


@dataclass(frozen=True)
class Scrutiny:
    """See the parts. groups: of the test rows; None: each row is its own. validation: the number of rows that chose the thresholds."""

    groups: int | None
    validation: int
    ranking: tuple[ClassRanking, ...]
    slices: tuple[SliceScore, ...]
    points: tuple[PointInSlice, ...]
    selective: Selective


def scrutinise(
    predictions: Predictions, surroundings: Surroundings, params: EvaluateParams, resampling: Resampling
) -> Scrutiny:
    """Measure the predictions; the intervals are over groups where there are some."""
    known, validation = predictions.groups, surroundings.validation
    groups = each_its_own(len(predictions)) if known is None else known
    stated: tuple[tuple[Aim, float], ...] = (("specificity", params.specificity), ("sensitivity", params.sensitivity))
    ranking = rank_classes(predictions, validation, stated, groups, resampling)
    slices, confidence = surroundings.slices, resampling.confidence
    return Scrutiny(
        None if known is None else len(set(known.tolist())),
        0 if validation is None else len(validation),
        ranking,
        () if slices is None else score_slices(predictions, slices, groups, confidence),
        () if slices is None else _points_in(predictions, ranking, slices, groups, confidence),
        measure_selective(predictions, validation, params.error_rate, groups, confidence),
    )


def _points_in(
    predictions: Predictions, ranking: tuple[ClassRanking, ...], slices: Slices, groups: IntArray, confidence: float
) -> tuple[PointInSlice, ...]:
    shown, parts = predictions.shown, list(rows_of(slices))
    found = []
    for entry in ranking:
        place = predictions.class_names.index(entry.name)
        column, own = predictions.probabilities[:, place], shown[:, place]
        found += [
            PointInSlice(
                entry.name,
                point,
                name,
                value,
                rates_at(point.threshold, column[rows], own[rows], groups[rows], confidence),
            )
            for point in entry.points
            for name, value, rows in parts
        ]
    return tuple(found)
