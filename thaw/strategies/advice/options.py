"""The strategies that could be followed: what each reaches on rows that it has not seen, and its price."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from torch import Tensor

from thaw.foundation.statistics.bootstrap import Estimate, Resampling
from thaw.models.prices import Pricing
from thaw.params.strategy import Strategy
from thaw.strategies.advice.intervals import gain_of, headline_beside, headline_of, judged_draws, judged_rows
from thaw.strategies.advice.out_of_fold import OutOfFold, measure_learner
from thaw.strategies.advice.pool import Fold, Pool

FEWEST_FOLDS = 2
"""A strategy is tried on so many folds at least, or not at all."""


@dataclass(frozen=True)
class Option:
    """A strategy.

    accuracy (of label sets the macro F1): on `rows` rows of train and validation that it has not seen, each judged in up to `draws` draws of the folds;
    linear: the accuracy of the linear head on the last layer on the same rows and draws; gain: the paired lead over it. All of these None or 0 where the
    strategy was not measured, and `note` says why. minutes: one training, measured or predicted. megabytes, images_per_second: see `Price`.
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


class Pilot(Protocol):
    """Something that can train what is not a head on cached features: layers of the backbone itself."""

    @property
    def strategies(self) -> Sequence[Strategy]:
        """What it can train, the one that is most worth trying first."""

    def seconds(self, strategy: Strategy, rows: int) -> float:
        """What one training on that many rows would take, predicted from a few steps."""

    def learn(self, strategy: Strategy, fold: Fold) -> Tensor:
        """Train on the rows `fold.learn` of the pool; the classes that are named of the rows `fold.judge`, bool [M, C] in their order. What is chosen on the
        way (when to stop, say) is chosen within `fold.learn`."""


@dataclass(frozen=True, eq=False)
class Jury:
    """Who judges: the pool, its folds, what the linear head on the last layer reaches there, how intervals are made, and what models cost."""

    pool: Pool
    folds: Sequence[Fold]
    linear: OutOfFold
    resampling: Resampling
    price: Pricing

    def measured(self, strategy: Strategy, found: OutOfFold, note: str = "") -> Option:
        """The option, from what it reached."""
        price = self.price(strategy)
        return Option(
            strategy=strategy,
            accuracy=headline_of(found, self.pool.groups, self.resampling),
            gain=gain_of(found, self.linear, self.pool.groups, self.resampling),
            measured=True,
            minutes=found.seconds / 60,
            megabytes=price.megabytes,
            images_per_second=price.images_per_second,
            note=note,
            linear=headline_beside(found, self.linear),
            rows=judged_rows(found),
            draws=judged_draws(found),
        )

    def unmeasured(self, strategy: Strategy, seconds: float | None, note: str) -> Option:
        """The option, which was not tried."""
        price = self.price(strategy)
        minutes = None if seconds is None else seconds / 60
        return Option(strategy, None, None, False, minutes, price.megabytes, price.images_per_second, note)


def try_pilot(
    pilot: Pilot, jury: Jury, minutes: float, clock: Callable[[], float] = time.perf_counter
) -> Iterator[Option]:
    """Try the pilot's strategies in their order and yield each, tried on as many folds of the first draw as fit into what is left of the minutes.

    A strategy for which not even `FEWEST_FOLDS` fit is not tried; its option holds the predicted price and the reason. One that turns out slower than
    predicted ends with the fold in which the time runs out.
    """
    ends = clock() + 60 * minutes
    for strategy in pilot.strategies:
        yield _try(pilot, strategy, jury, left=lambda: ends - clock())


def _try(pilot: Pilot, strategy: Strategy, jury: Jury, left: Callable[[], float]) -> Option:
    """`left`: the seconds that may still be spent."""
    folds = [fold for fold in jury.folds if fold.repeat == 0]
    if len(folds) < FEWEST_FOLDS:
        return jury.unmeasured(strategy, None, "too few images to hold some out")
    if left() <= 0:
        return jury.unmeasured(strategy, None, "not tried: the time of strategy.minutes was up")
    predicted = pilot.seconds(strategy, len(folds[0].learn))
    if FEWEST_FOLDS * predicted > left():
        needed = FEWEST_FOLDS * predicted / 60
        return jury.unmeasured(
            strategy,
            predicted,
            f"not tried: {FEWEST_FOLDS} folds would take {needed:.1f} minutes; raise strategy.minutes",
        )
    done: list[OutOfFold] = []
    for fold in folds:
        if len(done) >= FEWEST_FOLDS and max(predicted, done[-1].seconds) > left():
            break
        before = left()
        found = measure_learner(jury.pool, [fold], lambda one: pilot.learn(strategy, one))
        done.append(replace(found, seconds=before - left()))
    note = (
        "" if len(done) == len(folds) else f"on {len(done)} of {len(folds)} folds: the time of strategy.minutes was up"
    )
    return jury.measured(strategy, _joined(done), note)


def _joined(parts: Sequence[OutOfFold]) -> OutOfFold:
    """One draw of the folds, from its parts: each row was judged in one of them, or in none."""
    tallies, judged = parts[0].tallies.copy(), parts[0].judged.copy()
    for part in parts[1:]:
        tallies[part.judged] = part.tallies[part.judged]
        judged |= part.judged
    return OutOfFold(parts[0].target, tallies, judged, sum(part.seconds for part in parts) / len(parts))
