"""Paired differences over draws and test images."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from thaw.foundation.statistics.bootstrap import (
    Estimate,
    FloatArray,
    IntArray,
    Resampling,
    bootstrap,
    one_hot,
    percentile_interval,
    stacked,
    totals,
)
from thaw.targets.one_label.metrics import macro_f1


@dataclass(frozen=True)
class Score:
    """Means over the draws: accuracy and macro F1, or differences of them."""

    accuracy: Estimate
    macro_f1: Estimate


def score(predicted: IntArray, targets: IntArray, resampling: Resampling) -> Score:
    """What predictions int64 [S, N], a row a draw, reach on targets int64 [N]."""
    return _estimate([(predicted,)], targets, resampling)


def paired(first: IntArray, second: IntArray, targets: IntArray, resampling: Resampling) -> Score:
    """The first minus the second, both int64 [S, N] over the same draws, on targets int64 [N].

    The interval resamples test images and draws, independently of each other, the same ones for both: Owen, "The pigeonhole bootstrap", Annals of
    Applied Statistics 2007. It is a little wider than one that takes either as given, and holds for other images and other draws.
    """
    return _estimate([(first, second)], targets, resampling)


def _estimate(pairs: list[tuple[IntArray, ...]], targets: IntArray, resampling: Resampling) -> Score:
    (predictions,) = pairs
    draws, rows = predictions[0].shape
    classes = int(max(targets.max(), *(each.max() for each in predictions))) + 1
    statistics = _statistics(predictions, targets, classes)

    def measure(sums: FloatArray) -> FloatArray:
        return _by_draw(sums, len(predictions), draws, classes, rows)

    values = measure(totals(statistics)).reshape(2, draws).mean(1)
    replicates = bootstrap(statistics, measure, resampling).reshape(2, draws, -1)
    generator = np.random.default_rng(resampling.seed + 1)
    weights = generator.multinomial(draws, np.full(draws, 1 / draws), size=replicates.shape[2]).T / draws
    means = (replicates * weights).sum(1)
    accuracy, f1 = (
        percentile_interval(float(value), replicate, resampling.confidence)
        for value, replicate in zip(values, means, strict=True)
    )
    return Score(accuracy, f1)


def _statistics(predictions: tuple[IntArray, ...], targets: IntArray, classes: int) -> sparse.csr_array:
    """Sums by class, sparse [C + 2 C S P, N]: labelled; then, for each draw and each of the P predictions, right and predicted."""
    ones = np.ones(len(targets))
    parts = [one_hot(targets, ones, classes)]
    for draw in range(len(predictions[0])):
        for each in predictions:
            parts.append(one_hot(targets, (each[draw] == targets).astype(np.float64), classes))
            parts.append(one_hot(each[draw], ones, classes))
    return stacked(parts)


def _by_draw(sums: FloatArray, count: int, draws: int, classes: int, rows: int) -> FloatArray:
    """Accuracy of each draw, then macro F1 of each: of the first, less that of the second where there are two; float64 [2 S, R]."""
    labelled = sums[:classes]
    blocks = sums[classes:].reshape(draws, count, 2, classes, -1)
    signs = (1.0, -1.0)
    accuracy = [sum(signs[p] * blocks[d, p, 0].sum(0) / rows for p in range(count)) for d in range(draws)]
    f1 = [
        sum(signs[p] * macro_f1(blocks[d, p, 0], labelled, blocks[d, p, 1]) for p in range(count)) for d in range(draws)
    ]
    return np.stack([*accuracy, *f1])
