"""Transfer gain: the gain of a frozen, pretrained backbone over other ways to learn from the same examples."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from thaw.foundation.parallel.progress import Progress, untold
from thaw.foundation.statistics.bootstrap import Estimate, FloatArray, IntArray, Resampling
from thaw.targets.paired import headline_difference, headlines, paired_interval, rounded
from thaw.targets.target import BoolArray, Target, target_of_targets

FROZEN = "frozen"
"""The name of the learner that the others are measured against: a head on the cached features."""


@dataclass(frozen=True)
class Draw:
    """One repetition. rows: int64 [n], the pool's examples for training. targets: int64 [n], their classes, or bool [n, C], their sets."""

    seed: int
    rows: torch.Tensor
    targets: torch.Tensor


Learner = Callable[[Draw], Tensor]
"""A function that learns from a draw and returns the named classes of the test examples, bool [N, C]."""


@dataclass(frozen=True)
class Contender:
    """One way to learn, with its test accuracy by seed (with label sets the macro F1); `mean` is over the seeds."""

    name: str
    accuracies: tuple[float, ...]
    mean: float


@dataclass(frozen=True)
class Gain:
    """Accuracy (or macro F1) of the frozen backbone minus that of `over`, paired by seed and by test example.

    over_seeds: the t interval of the mean over seeds; None for a single seed. over_examples: the bootstrap interval of the same mean over test examples,
    or over their groups.
    """

    over: str
    by_seed: tuple[float, ...]
    over_seeds: Estimate | None
    over_examples: Estimate


@dataclass(frozen=True)
class TransferGain:
    """Every contender over the same draws. redrawn: whether each seed drew other examples; else all learnt from the same examples."""

    seeds: tuple[int, ...]
    training_examples: int
    redrawn: bool
    confidence: float
    contenders: tuple[Contender, ...]
    gains: tuple[Gain, ...]

    def contender(self, name: str) -> Contender:
        """The contender of that name; KeyError if there is none."""
        return {contender.name: contender for contender in self.contenders}[name]

    def interval(self, gain: Gain) -> Estimate:
        """The interval over draws if the seeds drew other examples, else over the test examples."""
        return gain.over_seeds if self.redrawn and gain.over_seeds else gain.over_examples


def measure_transfer_gain(
    learners: Mapping[str, Learner],
    draws: Sequence[Draw],
    test_targets: Tensor,
    resampling: Resampling,
    progress: Progress = untold,
    *,
    groups: IntArray | None = None,
) -> TransferGain:
    """Let every learner learn from every draw, and measure each against the one named `FROZEN`.

    test_targets: int64 [N] or bool [N, C]. groups: int64 [N], of the test examples, for the intervals over them. All learners see the same
    examples for the same seed, and the same test examples.
    """
    target = target_of_targets(test_targets)
    tallies = _repeat(learners, draws, test_targets, progress)
    names = [name for name in learners if name != FROZEN]
    return TransferGain(
        seeds=tuple(draw.seed for draw in draws),
        training_examples=len(draws[0].rows),
        redrawn=any(not torch.equal(draw.rows, draws[0].rows) for draw in draws),
        confidence=resampling.confidence,
        contenders=tuple(_contender(name, headlines(target, tallies[name])) for name in (FROZEN, *names)),
        gains=tuple(_gain(target, name, tallies, resampling, groups) for name in names),
    )


def _repeat(
    learners: Mapping[str, Learner], draws: Sequence[Draw], test_targets: Tensor, progress: Progress
) -> dict[str, BoolArray]:
    """The tallies of each test example for the headline, bool [S, N, K] by learner."""
    target = target_of_targets(test_targets)
    tallies: dict[str, list[BoolArray]] = {name: [] for name in learners}
    for position, draw in enumerate(draws):
        for number, (name, learner) in enumerate(learners.items()):
            tallies[name].append(target.tally(learner(draw), test_targets))
            progress(position * len(learners) + number + 1, len(draws) * len(learners))
    return {name: np.stack(parts) for name, parts in tallies.items()}


def _contender(name: str, values: FloatArray) -> Contender:
    return Contender(name, tuple(float(value) for value in values), float(values.mean()))


def _gain(
    target: Target, over: str, tallies: Mapping[str, BoolArray], resampling: Resampling, groups: IntArray | None
) -> Gain:
    frozen, other = tallies[FROZEN], tallies[over]
    by_seed = tuple(float(value) for value in rounded(headlines(target, frozen) - headlines(target, other)))
    return Gain(
        over=over,
        by_seed=by_seed,
        over_seeds=paired_interval(by_seed, resampling.confidence) if len(by_seed) > 1 else None,
        over_examples=headline_difference(target, frozen, other, resampling, groups),
    )
