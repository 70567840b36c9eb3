"""Operating points: the probability from which on a class counts as found, chosen on validation rows and judged on test rows."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from thaw.foundation.statistics.bootstrap import Estimate, FloatArray, IntArray
from thaw.foundation.statistics.clustered import share_interval
from thaw.targets.target import BoolArray

Aim = Literal["specificity", "sensitivity"]


@dataclass(frozen=True)
class Rates:
    """What a threshold reaches on some rows. sensitivity: the share of rows with the class at or above it; specificity: of those without, below it; None: there
    are no such rows."""

    positives: int
    negatives: int
    sensitivity: Estimate | None
    specificity: Estimate | None


@dataclass(frozen=True)
class OperatingPoint:
    """The threshold of a class that reaches `stated` on the validation rows, and its rates on the test rows."""

    aim: Aim
    stated: float
    threshold: float
    rates: Rates


def threshold_at(aim: Aim, stated: float, probabilities: NDArray[np.floating], shown: BoolArray) -> float | None:
    """The threshold that reaches the stated rate on these rows, with the best other rate; None: no row shows the class, or all do.

    It lies halfway between two probabilities of the rows. probabilities: of the class, [N]. shown: bool [N].
    """
    if shown.all() or not shown.any():
        return None
    scores = np.unique(probabilities.astype(np.float64))
    if aim == "specificity":
        without = np.sort(probabilities[~shown])[::-1]
        allowed = math.floor((1 - stated) * len(without) + 1e-9)
        return _above(scores, float(without[allowed]))
    with_class = np.sort(probabilities[shown])[::-1]
    needed = math.ceil(stated * len(with_class) - 1e-9)
    return _below(scores, float(with_class[needed - 1]))


def rates_at(
    threshold: float, probabilities: NDArray[np.floating], shown: BoolArray, groups: IntArray, confidence: float
) -> Rates:
    """The rates of a threshold, with intervals over groups, int64 [N]."""
    found = probabilities >= threshold

    def share(hits: BoolArray, rows: BoolArray) -> Estimate | None:
        return share_interval(hits[rows].astype(np.float64), groups[rows], confidence) if rows.any() else None

    return Rates(int(shown.sum()), int((~shown).sum()), share(found, shown), share(~found, ~shown))


def _above(scores: FloatArray, value: float) -> float:
    higher = scores[scores > value]
    return (value + (float(higher[0]) if len(higher) else 1.0)) / 2 if value < 1 else math.nextafter(1.0, 2.0)


def _below(scores: FloatArray, value: float) -> float:
    lower = scores[scores < value]
    return (value + float(lower[-1])) / 2 if len(lower) else value / 2
