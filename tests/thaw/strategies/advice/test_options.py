"""Trying what is trained anew, with a real small learner in the place of a network."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest
import torch
from advised import HEAD, pool_of, price

from thaw.foundation.statistics.bootstrap import Resampling
from thaw.heads.fitted import Setting
from thaw.heads.kinds import fit_one
from thaw.params.values.strategy import Strategy
from thaw.strategies.advice.options import Jury, Option, try_pilot
from thaw.strategies.advice.out_of_fold import Fitting, HeadTrial, measure_heads
from thaw.strategies.advice.pool import Fold, Pool, draw_folds

FULL, LAST = Strategy("full", "late"), Strategy("last_blocks", "late", 1)


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Learner:
    """Trains an mlp on one layer's features. takes: seconds that pass, predicted and in truth."""

    pool: Pool
    clock: Clock
    takes: dict[Strategy, tuple[float, float]]
    tried: list[Strategy] = field(default_factory=list)

    @property
    def strategies(self) -> Sequence[Strategy]:
        return tuple(self.takes)

    def seconds(self, strategy: Strategy, rows: int) -> float:
        return self.takes[strategy][0]

    def learn(self, strategy: Strategy, fold: Fold) -> torch.Tensor:
        self.tried.append(strategy)
        self.clock.now += self.takes[strategy][1]
        layer = "early" if strategy == FULL else "late"
        model = fit_one(self.pool.labelled(layer, fold.learn), Setting(l2=0.1, epochs=40), HEAD, "mlp")
        logits = model.logits(self.pool.features[layer][fold.judge])
        return self.pool.target.named(logits, None)


@pytest.fixture(scope="module")
def jury() -> Iterator[Jury]:
    pool = pool_of(12, late_is_better=False)
    folds = draw_folds(pool, folds=4, repeats=1, seed=0)
    (linear,) = measure_heads(pool, folds, [HeadTrial("linear", "late")], Fitting(HEAD))
    yield Jury(pool, folds, linear, Resampling(500), price)


def tried(jury: Jury, takes: dict[Strategy, tuple[float, float]], minutes: float) -> tuple[list[Option], Learner]:
    clock = Clock()
    learner = Learner(jury.pool, clock, takes)
    return list(try_pilot(learner, jury, minutes, clock)), learner


def test_a_learner_that_is_better_is_measured_so(jury: Jury) -> None:
    (full, last), _ = tried(jury, {FULL: (1, 1), LAST: (1, 1)}, minutes=5)
    assert full.measured and full.gain is not None and full.gain.low > 0.1, "it learns from the better features"
    assert last.gain is not None and last.gain.low < 0.1
    assert full.minutes == pytest.approx(1 / 60) and full.note == ""


def test_what_does_not_fit_is_not_tried_and_says_its_price(jury: Jury) -> None:
    (full, last), learner = tried(jury, {FULL: (200, 200), LAST: (1, 1)}, minutes=5)
    assert not full.measured and full.accuracy is None and full.minutes == pytest.approx(200 / 60)
    assert "2 folds would take 6.7 minutes" in full.note and "strategy.minutes" in full.note
    assert last.measured and FULL not in learner.tried


def test_what_takes_longer_than_predicted_ends_in_time(jury: Jury) -> None:
    (full, last), learner = tried(jury, {FULL: (1, 120), LAST: (1, 1)}, minutes=5)
    assert learner.tried.count(FULL) == 2 and full.note.startswith("on 2 of 4 folds")
    assert full.measured and full.gain is not None, "two folds say something, with a wider interval"
    assert full.accuracy is not None and full.linear is not None and full.draws == 1 and full.rows < len(jury.pool)
    assert full.accuracy.value - full.linear == pytest.approx(full.gain.value), "all on the rows of two folds"
    assert last.measured
    (full, last), learner = tried(jury, {FULL: (1, 400), LAST: (1, 1)}, minutes=5)
    assert learner.tried.count(FULL) == 2 and not last.measured and "was up" in last.note


def test_without_folds_nothing_is_tried(jury: Jury) -> None:
    few = Jury(jury.pool, (), jury.linear, jury.resampling, price)
    (full,), learner = tried(few, {FULL: (1, 1)}, minutes=5)
    assert not full.measured and not learner.tried and "too few examples" in full.note
