"""The headline (accuracy, or macro F1 of label sets) against labels a class, from nested subsets, and the gain of more labels by a power law."""

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
"""The exponents of the power law: reported ones lie between 0.07 and 0.5 (Hestness et al. 2017), and 1 is the best rate of theory. Without that bound a few
noisy points look like the end of learning."""
FEWEST_SIZES = 4
"""The least number of sizes; the fit has three numbers, so three sizes would fit exactly and prove nothing."""
WIDEST = 0.1
"""The widest useful interval of the gain of twice the labels."""
LOOSEST = 0.25
"""The widest useful interval of the predicted accuracy; points that scatter more fit any curve, above all a flat one."""
RESAMPLES = 400
GROWTH = (2, 5)


@dataclass(frozen=True)
class CurvePoint:
    """`labels` a class (the mean over classes and folds), with their accuracy and its interval; with label sets the macro F1."""

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
    """The forecast for `times` as many labels: the accuracy, and its gain over the present number, each with its interval."""

    times: int
    labels: float
    accuracy: Estimate
    gain: Estimate


@dataclass(frozen=True)
class LearningCurve:
    """The curve. labels: the present number a class. prospects: empty if there is no forecast, and then `unclear` says why. unlearnt: zero-shot, which needs
    no label; None: the backbone has no text tower."""

    layer: str
    labels: float
    points: tuple[CurvePoint, ...]
    law: PowerLaw | None
    prospects: tuple[Prospect, ...]
    unclear: str | None
    unlearnt: CurvePoint | None = None

    @property
    def worth(self) -> float | None:
        """The least measured number of labels a class with which a linear head is as good as zero-shot; None: there is no such number, or no zero-shot."""
        if self.unlearnt is None:
            return None
        reached = (point.labels for point in self.points if point.accuracy.value >= self.unlearnt.accuracy.value)
        return next(reached, None)


def sizes_up_to(most: int) -> tuple[int, ...]:
    """The numbers of labels a class to try: at most `MOST_SIZES`, up to `most`, each about one and a half times the number below it."""
    sizes = [most]
    while sizes[-1] > 1 and len(sizes) < MOST_SIZES:
        sizes.append(min(sizes[-1] - 1, round(sizes[-1] / 1.5)))
    return tuple(sorted(size for size in sizes if size >= 1))


def measure_curve(
    pool: Pool, folds: Sequence[Fold], layer: str, fitting: Fitting, resampling: Resampling
) -> LearningCurve:
    """The curve of a linear head at one layer.

    In each fold, the training rows of a size are among those of every larger size; each draw of the folds nests them in another order. The same rows judge
    every size.
    """
    nested = _nested_folds(pool, folds)
    trial = [HeadTrial("linear", layer)]
    measured = [measure_heads(pool, some, trial, fitting.keeping(str(size)))[0] for size, some in enumerate(nested)]
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
    """The forecasts for more labels than `now` a class, their law, and the reason why there is no forecast (None: there is one).

    labels: [S]. errors: float64 [1 + R, S], the measured errors first, then resampled ones.

    Every resample has its own fit, so the intervals cover the uncertainty of the power law's numbers and of its points, but not of the law itself.
    Source of the law: Hestness et al., "Deep Learning Scaling is Predictable, Empirically", 2017. Source of the fit to nested subsets: Figueroa et al.,
    "Predicting sample size required for classification performance", BMC Medical Informatics and Decision Making 2012.
    """
    if len(labels) < FEWEST_SIZES:
        reason = f"{len(labels)} sizes can be tried, and a curve needs {FEWEST_SIZES}: label at least 6 examples of each class"
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
        reason = "these examples are too few to say more than that it would lie between "
        reason += f"{100 * there.low:.0f} and {100 * there.high:.0f} % with twice as many"
        return (), None, reason
    return tuple(prospects), PowerLaw(float(floors[0]), float(scales[0]), float(exponents[0])), None


def fit_power_laws(labels: FloatArray, errors: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The floors, scales and exponents, float64 [R] each, of least squares to each row of errors [R, S] at labels [S].

    Floor and scale are not negative. For each exponent of a grid the other two are linear, so the fit needs no iterations and cannot diverge.
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
    """The folds with fewer training rows, for each size that can be tried; the last size has all rows."""
    most = max((int(_counts(pool, fold.learn).max()) for fold in folds), default=1)
    sizes = []
    for size in sizes_up_to(most):
        some = [Fold(fold.repeat, _nested(pool, fold, size), fold.judge) for fold in folds]
        if all(pool.target.is_teachable(pool.targets[fold.learn], len(pool.class_names)) for fold in some):
            sizes.append(some)
    return sizes


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
    """The errors, float64 [1 + R, S]: first the error at each size, then resamples of the draws of the folds and of the rows (or groups), equal for all sizes.

    The error is 1 minus the headline.
    """
    known = np.stack([result.judged for result in measured]).all((0, 1))
    groups = pool.groups
    number = np.arange(known.sum()) if groups is None else np.unique(groups.numpy()[known], return_inverse=True)[1]
    count = np.bincount(number)
    gathered = one_hot(number.astype(np.int64), np.ones(len(number)), len(count))
    draws, drawn = _drawn(len(measured[0].judged), len(count), resampling.seed)
    rows = drawn @ count
    columns = []
    for result in measured:
        summed = np.stack([gathered @ draw[known].astype(np.float64) for draw in result.tallies])  # [D, G, K]
        resampled = drawn @ summed  # [D, 1 + R, K]
        means = np.stack([resampled[picked, row].mean(0) for row, picked in enumerate(draws)])  # [1 + R, K]
        columns.append(1 - pool.target.headline_of(means.T, rows))
    return np.stack(columns, 1)


def _drawn(draws: int, groups: int, seed: int) -> tuple[IntArray, FloatArray]:
    """Draws of the folds, int64 [1 + R, D], and counts of each group, float64 [1 + R, G]: first the original ones, then resamples."""
    generator = np.random.default_rng(seed)
    picked, taken = [np.arange(draws)], [np.ones(groups)]
    for _ in range(RESAMPLES):
        picked.append(generator.integers(draws, size=draws))
        taken.append(np.bincount(generator.integers(groups, size=groups), minlength=groups).astype(np.float64))
    return np.stack(picked), np.stack(taken)
