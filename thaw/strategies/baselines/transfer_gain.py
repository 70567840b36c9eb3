"""Transfer gain: what a frozen, pretrained backbone is worth over other ways to learn from the same images."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from thaw.foundation.parallel.progress import Progress, untold
from thaw.foundation.statistics.bootstrap import Estimate, IntArray, Resampling
from thaw.targets.paired import mean_difference, paired_interval

FROZEN = "frozen"
"""The name of the learner that the others are measured against: a head on the cached features."""


@dataclass(frozen=True)
class Draw:
    """One repetition. rows: int64 [n], which images of the pool it learns from; targets: int64 [n], their classes."""

    seed: int
    rows: torch.Tensor
    targets: torch.Tensor


Learner = Callable[[Draw], IntArray]
"""Learns from a draw, and gives the classes of the test images, int64 [N]."""

Right = NDArray[np.bool_]
"""Whether each test image is right: [S, N], one row a draw."""


@dataclass(frozen=True)
class Contender:
    """One way to learn, with its test accuracy by seed; `mean` is over the seeds."""

    name: str
    accuracies: tuple[float, ...]
    mean: float


@dataclass(frozen=True)
class Gain:
    """Accuracy of the frozen backbone minus that of `over`, paired by seed and by test image.

    `over_seeds` is the t interval of the mean over seeds, None for a single one; `over_images` is the bootstrap interval
    of the same mean over test images.
    """

    over: str
    by_seed: tuple[float, ...]
    over_seeds: Estimate | None
    over_images: Estimate


@dataclass(frozen=True)
class TransferGain:
    """Every contender over the same draws. `redrawn`: each seed drew other images; else all learnt from the same."""

    seeds: tuple[int, ...]
    training_images: int
    redrawn: bool
    confidence: float
    contenders: tuple[Contender, ...]
    gains: tuple[Gain, ...]

    def contender(self, name: str) -> Contender:
        """The contender of that name; KeyError where there is none."""
        return {contender.name: contender for contender in self.contenders}[name]

    def interval(self, gain: Gain) -> Estimate:
        """The interval that fits: over draws where the seeds drew other images, else over the test images."""
        return gain.over_seeds if self.redrawn and gain.over_seeds else gain.over_images


def measure_transfer_gain(
    learners: Mapping[str, Learner],
    draws: Sequence[Draw],
    test_targets: IntArray,
    resampling: Resampling,
    progress: Progress = untold,
) -> TransferGain:
    """Let every learner learn from every draw, and measure each against the one named `FROZEN`.

    test_targets: int64 [N]. Each learner sees the same images for the same seed, and all the same test images.
    """
    right = _repeat(learners, draws, test_targets, progress)
    names = [name for name in learners if name != FROZEN]
    return TransferGain(
        seeds=tuple(draw.seed for draw in draws),
        training_images=len(draws[0].rows),
        redrawn=any(not torch.equal(draw.rows, draws[0].rows) for draw in draws),
        confidence=resampling.confidence,
        contenders=tuple(_contender(name, right[name]) for name in (FROZEN, *names)),
        gains=tuple(_gain(name, right[FROZEN], right[name], resampling) for name in names),
    )


def _repeat(
    learners: Mapping[str, Learner], draws: Sequence[Draw], test_targets: IntArray, progress: Progress
) -> dict[str, Right]:
    """Whether each test image is right, bool [S, N] by learner."""
    right = {name: np.empty((len(draws), len(test_targets)), np.bool_) for name in learners}
    for position, draw in enumerate(draws):
        for number, (name, learner) in enumerate(learners.items()):
            right[name][position] = learner(draw) == test_targets
            progress(position * len(learners) + number + 1, len(draws) * len(learners))
    return right


def _contender(name: str, right: Right) -> Contender:
    return Contender(name, tuple(float(accuracy) for accuracy in right.mean(1)), float(right.mean()))


def _gain(
    over: str,
    frozen: Right,
    other: Right,
    resampling: Resampling,
) -> Gain:
    by_seed = tuple(float(difference) for difference in frozen.mean(1) - other.mean(1))
    return Gain(
        over=over,
        by_seed=by_seed,
        over_seeds=paired_interval(by_seed, resampling.confidence) if len(by_seed) > 1 else None,
        over_images=mean_difference(frozen.mean(0), other.mean(0), resampling),
    )
