"""The headline (accuracy, or macro F1 of label sets) against labels a class, from nested subsets; and what more labels would bring, by a power law."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from thaw.foundation.statistics.bootstrap import (
    Estimate,
    FloatArray,
    IntArray,
    Resampling,
    one_hot,
    percentile_interval,
)
from thaw.strategies.advice.out_of_fold import Fitting, HeadTrial, OutOfFold, measure_heads
from thaw.strategies.advice.pool import Fold, Pool

MOST_SIZES = 8
EXPONENTS = np.linspace(0.05, 1.0, 39)
"""Of the power law: reported ones lie between 0.07 and 0.5 (Hestness et al. 2017), and 1 is the fast rate that theory grants at best. Without that bound a
few noisy points look like the end of learning."""
FEWEST_SIZES = 4
"""Three numbers are fitted, so fewer sizes would fit exactly and prove nothing."""
WIDEST = 0.1
"""An interval of what twice the labels would bring that is wider than this says nothing that one could act on."""
LOOSEST = 0.25
"""So is a forecast of the accuracy itself that is wider: points that scatter so much fit any curve, a flat one above all."""
RESAMPLES = 400
GROWTH = (2, 5)


@dataclass(frozen=True)
class CurvePoint:
    """`labels` a class (the mean over classes and folds) and the accuracy that they reached, with its interval; of label sets the macro F1."""

    labels: float
    accuracy: Estimate


@dataclass(frozen=True)
class PowerLaw:
    """error = floor + scale * labels ** -exponent."""

    floor: float
    scale: float
    exponent: float

    def accuracy(self, labels: float) -> float:
        return float(1 - self.floor - self.scale * labels**-self.exponent)


@dataclass(frozen=True)
class Prospect:
    """What `times` as many labels would bring: the accuracy, and its gain over the present number, each with its interval."""

    times: int
    labels: float
    accuracy: Estimate
    gain: Estimate


@dataclass(frozen=True)
class LearningCurve:
    """`labels` a class there are now. prospects: empty where `unclear` says why nothing can be foretold."""

    layer: str
    labels: float
    points: tuple[CurvePoint, ...]
    law: PowerLaw | None
    prospects: tuple[Prospect, ...]
    unclear: str | None


def sizes_up_to(most: int) -> tuple[int, ...]:
    """Labels a class to try: at most `MOST_SIZES`, each half as many again as the one below or more, up to `most`; small ones lie closer."""
    found = [most]
    while found[-1] > 1 and len(found) < MOST_SIZES:
        found.append(min(found[-1] - 1, round(found[-1] / 1.5)))
    return tuple(sorted(size for size in found if size >= 1))


def measure_curve(
    pool: Pool, folds: Sequence[Fold], layer: str, fitting: Fitting, resampling: Resampling
) -> LearningCurve:
    """The curve of a linear head at one layer.

    In each fold, the rows to learn from of a size are among those of every larger one; each draw of the folds nests them in another order. The same
    rows judge every size.
    """
    nested = _nested_folds(pool, folds)
    measured = [measure_heads(pool, some, [HeadTrial("linear", layer)], fitting)[0] for some in nested]
    labels = [_labels(pool, some) for some in nested]
    now = _counts(pool, pool.learners).double().mean().item()
    errors = _resampled_errors(pool, measured, resampling)
    points = tuple(
        CurvePoint(count, percentile_interval(float(1 - column[0]), 1 - column[1:], resampling.confidence))
        for count, column in zip(labels, errors.T, strict=True)
    )
    prospects, law, unclear = foretell(now, np.array(labels), errors, resampling.confidence)
    return LearningCurve(layer, now, points, law, prospects, unclear)


def foretell(
    now: float, labels: FloatArray, errors: FloatArray, confidence: float
) -> tuple[tuple[Prospect, ...], PowerLaw | None, str | None]:
    """What more labels than `now` a class would bring, the law that says so, and why nothing can be foretold (None: it can).

    labels: [S]. errors: float64 [1 + R, S], those that were measured first, then resampled ones.

    Every resample is fitted anew, so the intervals hold what is uncertain in the power law as well as in its points; not that the law may be wrong.
    Source of the law: Hestness et al., "Deep Learning Scaling is Predictable, Empirically", 2017; of fitting it to nested subsets: Figueroa et al.,
    "Predicting sample size required for classification performance", BMC Medical Informatics and Decision Making 2012.
    """
    if len(labels) < FEWEST_SIZES:
        reason = (
            f"{len(labels)} sizes can be tried, and a curve needs {FEWEST_SIZES}: label at least 6 images of each class"
        )
        return (), None, reason
    floors, scales, exponents = fit_power_laws(labels, errors)

    def reached(count: float) -> FloatArray:
        return np.asarray(1 - floors - scales * count**-exponents)

    prospects = []
    for times in GROWTH:
        accuracy, gain = reached(times * now), reached(times * now) - reached(now)
        prospects.append(
            Prospect(
                times,
                times * now,
                percentile_interval(float(accuracy[0]), accuracy[1:], confidence),
                percentile_interval(float(gain[0]), gain[1:], confidence),
            )
        )
    sooner, there = prospects[0].gain, prospects[0].accuracy
    if sooner.high - sooner.low > WIDEST or there.high - there.low > LOOSEST:
        reason = "these images are too few to say more than that it would lie between "
        reason += f"{100 * there.low:.0f} and {100 * there.high:.0f} % with twice as many"
        return (), None, reason
    return tuple(prospects), PowerLaw(float(floors[0]), float(scales[0]), float(exponents[0])), None


def fit_power_laws(labels: FloatArray, errors: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The floors, scales and exponents, float64 [R] each, of least squares to each row of errors [R, S] at labels [S].

    Floor and scale are not negative. For each exponent of a grid the other two are linear, so nothing is iterated and nothing can diverge.
    """
    floors, scales, chosen = (np.zeros(len(errors)) for _ in range(3))
    lowest, mean = np.full(len(errors), np.inf), errors.mean(1)
    for exponent in EXPONENTS:
        powers = labels**-exponent
        centred = powers - powers.mean()
        scale = np.maximum(errors @ centred / (centred @ centred), 0)
        floor = mean - scale * powers.mean()
        scale = np.where(floor < 0, errors @ powers / (powers @ powers), scale)
        floor = np.maximum(floor, 0)
        misfit = np.square(errors - floor[:, None] - scale[:, None] * powers).sum(1)
        better = misfit < lowest - 1e-15
        lowest[better], chosen[better] = misfit[better], exponent
        floors[better], scales[better] = floor[better], scale[better]
    return floors, scales, chosen


def _nested_folds(pool: Pool, folds: Sequence[Fold]) -> list[list[Fold]]:
    """The folds with fewer rows to learn from, for each size that can be tried; all rows at last."""
    most = max((int(_counts(pool, fold.learn).max()) for fold in folds), default=1)
    found = []
    for size in sizes_up_to(most):
        some = [Fold(fold.repeat, _nested(pool, fold, size), fold.judge) for fold in folds]
        if all(pool.target.is_teachable(pool.targets[one.learn], len(pool.class_names)) for one in some):
            found.append(some)
    return found


def _nested(pool: Pool, fold: Fold, size: int) -> Tensor:
    """The first `size` rows of each class in the draw's own order."""
    order = torch.randperm(len(pool), generator=torch.Generator().manual_seed(fold.repeat))
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(pool))
    learn = fold.learn[rank[fold.learn].argsort()]
    return learn[pool.target.nested(pool.targets[learn], size)].sort().values


def _labels(pool: Pool, folds: Sequence[Fold]) -> float:
    """Labels a class, the mean over classes and folds."""
    return float(torch.stack([_counts(pool, fold.learn) for fold in folds]).double().mean())


def _counts(pool: Pool, rows: Tensor) -> Tensor:
    return pool.target.class_counts(pool.targets[rows], len(pool.class_names))


def _resampled_errors(pool: Pool, measured: Sequence[OutOfFold], resampling: Resampling) -> FloatArray:
    """float64 [1 + R, S]: the error at each size; then again with draws of the folds, and rows (or groups) within them, drawn anew, alike for all sizes.

    The error is 1 less the headline.
    """
    known = np.stack([found.judged for found in measured]).all((0, 1))
    groups = pool.groups
    number = np.arange(known.sum()) if groups is None else np.unique(groups.numpy()[known], return_inverse=True)[1]
    count = np.bincount(number)
    gathered = one_hot(number.astype(np.int64), np.ones(len(number)), len(count))
    draws, drawn = _drawn(len(measured[0].judged), len(count), resampling.seed)
    rows = drawn @ count
    columns = []
    for found in measured:
        summed = np.stack([gathered @ draw[known].astype(np.float64) for draw in found.tallies])  # [D, G, K]
        resampled = drawn @ summed  # [D, 1 + R, K]
        means = np.stack([resampled[picked, row].mean(0) for row, picked in enumerate(draws)])  # [1 + R, K]
        columns.append(1 - pool.target.headline_of(means.T, rows))
    return np.stack(columns, 1)


def _drawn(draws: int, groups: int, seed: int) -> tuple[IntArray, FloatArray]:
    """Draws of the folds, int64 [1 + R, D], and how often each group is taken, float64 [1 + R, G]: first as they are, then resampled."""
    generator = np.random.default_rng(seed)
    picked, taken = [np.arange(draws)], [np.ones(groups)]
    for _ in range(RESAMPLES):
        picked.append(generator.integers(draws, size=draws))
        taken.append(np.bincount(generator.integers(groups, size=groups), minlength=groups).astype(np.float64))
    return np.stack(picked), np.stack(taken)
