"""Trying what is trained anew, with a real small learner in the place of a network."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch
from advised import HEAD, pool_of, price

from thaw.foundation.files.kept import Kept
from thaw.foundation.statistics.bootstrap import Resampling
from thaw.heads.fitted import Setting
from thaw.heads.kinds import fit_one
from thaw.params.values.strategy import Strategy
from thaw.strategies.advice.options import Jury, Option, try_pilot
from thaw.strategies.advice.out_of_fold import Fitting, HeadTrial, measure_heads
from thaw.strategies.advice.pool import Fold, Pool, draw_folds

FORGOTTEN = Kept()
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


def tried(
    jury: Jury, takes: dict[Strategy, tuple[float, float]], minutes: float, kept: Kept = FORGOTTEN
) -> tuple[list[Option], Learner]:
    clock = Clock()
    learner = Learner(jury.pool, clock, takes)
    return [one.option for one in try_pilot(learner, jury, minutes, kept)], learner


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


def test_killed_in_the_middle_it_goes_on_with_the_next_fold_to_the_same_options(jury: Jury, tmp_path: Path) -> None:
    takes = {FULL: (1.0, 120.0), LAST: (1.0, 1.0)}
    whole, _ = tried(jury, takes, minutes=5)
    kept, learner = Kept(tmp_path), Learner(jury.pool, Clock(), takes)
    options = try_pilot(learner, jury, 5, kept)
    next(options)  # and here comes the kill
    assert learner.tried == [FULL, FULL]
    again, second = tried(jury, takes, minutes=5, kept=kept)
    assert again == whole, "the time of the kept folds counts, so a third one is not tried"
    assert second.tried == [LAST] * 4
    next(tmp_path.glob("full-fold_0*")).write_bytes(b"torn")
    assert tried(jury, takes, minutes=5, kept=kept)[1].tried == [FULL]
