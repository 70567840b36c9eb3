"""Paired differences over draws and test examples."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from thaw.foundation.statistics.bootstrap import (
    Estimate,
    FloatArray,
    IntArray,
    Resampling,
    bootstrap,
    one_of_each,
    percentile_interval,
    stacked,
    totals,
)
from thaw.foundation.statistics.clustered import unless_single
from thaw.targets.label_sets.metrics import macro_f1_of_sets
from thaw.targets.paired import rounded
from thaw.targets.target import BoolArray, Target


@dataclass(frozen=True)
class Score:
    """Means over the draws, or their differences: the share of examples that are wholly right (with label sets, whose set is right), and macro F1."""

    accuracy: Estimate
    macro_f1: Estimate

    def headline(self, target: Target) -> Estimate:
        """The estimate that choices are made by."""
        return self.accuracy if target.headline == "accuracy" else self.macro_f1


def score(named: BoolArray, shown: BoolArray, resampling: Resampling, groups: IntArray | None = None) -> Score:
    """The score of the named classes, bool [S, N, C], a table for each draw; `shown`, bool [N, C], are the true classes; groups: see `bootstrap`."""
    return _estimate((named,), shown, resampling, groups)


def paired(
    first: BoolArray, second: BoolArray, shown: BoolArray, resampling: Resampling, groups: IntArray | None = None
) -> Score:
    """The first score minus the second, both bool [S, N, C] over the same draws; `shown`, bool [N, C], are the true classes.

    The interval resamples test examples (whole groups of them, where there are some) and draws independently of each other, and the same ones for both:
    Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 2007. It is a little wider than an interval with fixed examples or
    fixed draws, and holds for other examples and other draws.
    """
    return _estimate((first, second), shown, resampling, groups)


def _estimate(
    tables: tuple[BoolArray, ...], shown: BoolArray, resampling: Resampling, groups: IntArray | None
) -> Score:
    draws, _, classes = tables[0].shape
    statistics = _statistics(tables, shown)

    def measure(sums: FloatArray) -> FloatArray:
        return _by_draw(sums, len(tables), draws, classes)

    values = measure(totals(statistics)).reshape(2, draws).mean(1)
    replicates = bootstrap(statistics, measure, resampling, groups).reshape(2, draws, -1)
    generator = np.random.default_rng(resampling.seed + 1)
    weights = generator.multinomial(draws, np.full(draws, 1 / draws), size=replicates.shape[2]).T / draws
    means = rounded((replicates * weights).sum(1))
    least = 0.0 if len(tables) == 1 else -1.0
    accuracy, f1 = (
        unless_single(percentile_interval(float(value), replicate, resampling.confidence), groups, least, 1.0)
        for value, replicate in zip(values, means, strict=True)
    )
    return Score(accuracy, f1)


def _statistics(tables: tuple[BoolArray, ...], shown: BoolArray) -> sparse.csr_array:
    """Sums by class, sparse [1 + C + (2 C + 1) S P, N]: rows and shown.

    Then, for each draw and each of the P tables: rightly named, named, and wholly right.
    """
    parts = [one_of_each(len(shown)), _sparse(shown)]
    for draw in range(len(tables[0])):
        for table in tables:
            named = table[draw]
            parts += [_sparse(named & shown), _sparse(named), _sparse((named == shown).all(1, keepdims=True))]
    return stacked(parts)


def _sparse(table: BoolArray) -> sparse.csr_array:
    """bool [N, K] as sparse [K, N]."""
    return sparse.csr_array(table.T, dtype=np.float64)


def _by_draw(sums: FloatArray, count: int, draws: int, classes: int) -> FloatArray:
    """Accuracy of each draw, then macro F1 of each: of the first, less that of the second where there are two; float64 [2 S, R]."""
    rows, shown = sums[0], sums[1 : 1 + classes]
    blocks = sums[1 + classes :].reshape(draws, count, 2 * classes + 1, -1)
    accuracy = blocks[:, :, -1] / rows
    f1 = np.array([[macro_f1_of_sets(part[:classes], shown, part[classes:-1]) for part in draw] for draw in blocks])
    both = np.concatenate([accuracy, f1])
    return both[:, 0] if count == 1 else both[:, 0] - both[:, 1]
