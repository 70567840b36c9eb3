"""The scrutiny of a model as nested names and plain numbers, for DVC and MLflow; classes and slices are numbered, because their names may hold anything."""

from collections.abc import Mapping

from thaw.evaluation.scrutiny import Scrutiny
from thaw.evaluation.selective import Selective
from thaw.evaluation.slices import SliceScore
from thaw.foundation.statistics.bootstrap import Estimate
from thaw.targets.ranking import ClassRanking


def scrutiny_metrics(scrutiny: Scrutiny) -> dict[str, object]:
    """The sections `ranking`, `selective` and `slices`, without what could not be measured."""
    ranking = {str(number): _ranking(entry) for number, entry in enumerate(scrutiny.ranking)}
    slices = {str(number): _slice(score) for number, score in enumerate(scrutiny.slices)}
    return {
        **({"ranking": ranking} if ranking else {}),
        "selective": _selective(scrutiny.selective),
        **({"slices": slices} if slices else {}),
    }


def _ranking(entry: ClassRanking) -> dict[str, object]:
    points = {
        point.aim: {
            "stated": point.stated,
            "threshold": point.threshold,
            **_flat({"sensitivity": point.rates.sensitivity, "specificity": point.rates.specificity}),
        }
        for point in entry.points
    }
    areas = _flat({"auroc": entry.auroc, "average_precision": entry.average_precision})
    return {"class": entry.name, **areas, **({"points": points} if points else {})}


def _selective(selective: Selective) -> dict[str, object]:
    selection = selective.selection
    if selection is None:
        return {"stated": selective.stated}
    flat = _flat({"coverage": selection.coverage, "wrong": selection.wrong})
    return {"stated": selective.stated, "threshold": selection.threshold, **flat}


def _slice(score: SliceScore) -> dict[str, object]:
    estimates = {"accuracy": score.accuracy, "recall": score.recall, "overconfidence": score.overconfidence}
    return {
        "column": score.column, "value": score.value or "", "n": score.rows, "groups": score.groups, **_flat(estimates),
    }  # fmt: skip


def _flat(estimates: Mapping[str, Estimate | None]) -> dict[str, float]:
    flat: dict[str, float] = {}
    for name, estimate in estimates.items():
        if estimate is not None:
            flat |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return flat
