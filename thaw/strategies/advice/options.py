"""The strategies that could be followed, with their results on unseen rows and their prices."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from torch import Tensor

from thaw.foundation.files.kept import Kept
from thaw.foundation.statistics.bootstrap import Estimate, Resampling
from thaw.models.prices import Price, Pricing
from thaw.params.values.strategy import Strategy
from thaw.strategies.advice.intervals import gain_of, headline_beside, headline_of, judged_draws, judged_rows
from thaw.strategies.advice.out_of_fold import OutOfFold, measure_learner
from thaw.strategies.advice.pool import Fold, Pool

FEWEST_FOLDS = 2
"""The least number of folds on which a strategy is tried."""


@dataclass(frozen=True)
class Option:
    """A strategy.

    accuracy (with label sets the macro F1): on `rows` unseen rows of train and validation, each judged in up to `draws` draws of the folds. linear: the
    accuracy of the linear head on the last layer on the same rows and draws. gain: the paired lead over it. All of these are None or 0 if the strategy was
    not measured, and `note` says why. minutes: of one training, measured or predicted. megabytes, images_per_second: see `Price`.
    """

    strategy: Strategy
    accuracy: Estimate | None
    gain: Estimate | None
    measured: bool
    minutes: float | None
    megabytes: float
    images_per_second: float | None
    note: str = ""
    linear: float | None = None
    rows: int = 0
    draws: int = 0


@dataclass(frozen=True, eq=False)
class Tried:
    """An option with its outcome, by which it is compared with others; None if it was not measured."""

    option: Option
    outcome: OutOfFold | None


class Pilot(Protocol):
    """A trainer of strategies that are no head on cached features: it trains layers of the backbone itself."""

    @property
    def strategies(self) -> Sequence[Strategy]:
        """The strategies that it can train, the most promising first."""

    def clock(self) -> float:
        """Seconds of trials, from any moment on."""

    def seconds(self, strategy: Strategy, rows: int) -> float:
        """The predicted time of one training on that number of rows, from a few steps."""

    def learn(self, strategy: Strategy, fold: Fold) -> Tensor:
        """Train on the rows `fold.learn` of the pool; returns the named classes of the rows `fold.judge`, bool [M, C] in their order. Every choice on the way,
        such as the number of epochs, is made within `fold.learn`."""


@dataclass(frozen=True, eq=False)
class Jury:
    """The judge of options: the pool, its folds, the linear head's result on the last layer, the resampling of intervals, and the prices of models."""

    pool: Pool
    folds: Sequence[Fold]
    linear: OutOfFold
    resampling: Resampling
    price: Pricing

    @property
    def first_draw(self) -> Sequence[Fold]:
        """The folds of the first draw, for options that cost much."""
        return [fold for fold in self.folds if fold.repeat == 0]

    def measured(self, strategy: Strategy, outcome: OutOfFold, note: str = "", price: Price | None = None) -> Tried:
        """The option with its measured result; price: None: that of the backbone with a head."""
        price = price or self.price(strategy)
        option = Option(
            strategy=strategy,
            accuracy=headline_of(outcome, self.pool.groups, self.resampling),
            gain=gain_of(outcome, self.linear, self.pool.groups, self.resampling),
            measured=True,
            minutes=outcome.seconds / 60,
            megabytes=price.megabytes,
            images_per_second=price.images_per_second,
            note=note,
            linear=headline_beside(outcome, self.linear),
            rows=judged_rows(outcome),
            draws=judged_draws(outcome),
        )
        return Tried(option, outcome)

    def unmeasured(self, strategy: Strategy, seconds: float | None, note: str) -> Tried:
        """An option that was not tried."""
        price = self.price(strategy)
        minutes = None if seconds is None else seconds / 60
        option = Option(strategy, None, None, False, minutes, price.megabytes, price.images_per_second, note)
        return Tried(option, None)


def try_pilot(pilot: Pilot, jury: Jury, minutes: float, kept: Kept) -> Iterator[Tried]:
    """Try the pilot's strategies in their order and yield each, after as many folds of the first draw as fit into the rest of the minutes, by its clock.

    A strategy for which fewer than `FEWEST_FOLDS` fit is not tried; its option has the predicted price and the reason. A strategy that is slower than predicted
    ends with the fold in which the time runs out. A fold that was kept is not trained again; its time counts as it did then, so the same folds are tried.
    """
    budget = _Budget(pilot.clock, pilot.clock() + 60 * minutes)
    for strategy in pilot.strategies:
        yield _try(pilot, strategy, jury, budget, kept.below(str(strategy)))


@dataclass
class _Budget:
    """The time for trials, by a clock in seconds."""

    clock: Callable[[], float]
    ends: float

    @property
    def left(self) -> float:
        return self.ends - self.clock()

    def spend(self, seconds: float) -> None:
        """Count time that was spent before a kill."""
        self.ends -= seconds


def _try(pilot: Pilot, strategy: Strategy, jury: Jury, budget: _Budget, kept: Kept) -> Tried:
    """Try one strategy."""
    folds = jury.first_draw
    if len(folds) < FEWEST_FOLDS:
        return jury.unmeasured(strategy, None, "too few examples to hold some out")
    if budget.left <= 0:
        return jury.unmeasured(strategy, None, "not tried: the time of strategy.minutes was up")
    predicted = _predicted(pilot, strategy, len(folds[0].learn), budget, kept)
    if FEWEST_FOLDS * predicted > budget.left:
        needed = FEWEST_FOLDS * predicted / 60
        return jury.unmeasured(
            strategy,
            predicted,
            f"not tried: {FEWEST_FOLDS} folds would take {needed:.1f} minutes; raise strategy.minutes",
        )
    done: list[OutOfFold] = []
    for number, fold in enumerate(folds):
        if len(done) >= FEWEST_FOLDS and max(predicted, done[-1].seconds) > budget.left:
            break
        done.append(_once(lambda part: pilot.learn(strategy, part), jury, fold, budget, kept.below(f"fold {number}")))
    note = (
        "" if len(done) == len(folds) else f"on {len(done)} of {len(folds)} folds: the time of strategy.minutes was up"
    )
    return jury.measured(strategy, _joined(done), note)


def _predicted(pilot: Pilot, strategy: Strategy, rows: int, budget: _Budget, kept: Kept) -> float:
    """The predicted seconds of one training. A second prediction would differ a little, and might lead to another choice, so the first is kept."""
    if before := kept.read("predicted"):
        budget.spend(float(before["took"][0]))
        return float(before["seconds"][0])
    began = budget.left
    predicted = pilot.seconds(strategy, rows)
    kept.write("predicted", {"seconds": np.array([predicted]), "took": np.array([began - budget.left])})
    return predicted


def _once(learn: Callable[[Fold], Tensor], jury: Jury, fold: Fold, budget: _Budget, kept: Kept) -> OutOfFold:
    """The result on one fold, from what was kept or from a training."""
    if before := kept.read("learnt"):
        outcome = OutOfFold.of_arrays(jury.pool.target, before)
        budget.spend(outcome.seconds)
        return outcome
    began = budget.left
    outcome = measure_learner(jury.pool, [fold], learn)
    outcome = replace(outcome, seconds=began - budget.left)
    kept.write("learnt", outcome.arrays)
    return outcome


def _joined(parts: Sequence[OutOfFold]) -> OutOfFold:
    """One draw of the folds, joined from its parts; each row was judged in at most one part."""
    tallies, judged = parts[0].tallies.copy(), parts[0].judged.copy()
    for part in parts[1:]:
        tallies[part.judged] = part.tallies[part.judged]
        judged |= part.judged
    return OutOfFold(parts[0].target, tallies, judged, sum(part.seconds for part in parts) / len(parts))
