"""Transfer gain: paired by draw, with the interval that fits the draws."""

import pytest
import torch
import torch.nn.functional as F

from thaw.foundation.statistics.bootstrap import Resampling
from thaw.strategies.baselines.transfer_gain import Draw, Learner, TransferGain, measure_transfer_gain
from thaw.targets.paired import paired_interval

TARGETS = torch.arange(200) % 4


def right_on(count: int) -> Learner:
    """Right on the first `count` test images, and on one more for each seed."""

    def learn(draw: Draw) -> torch.Tensor:
        right = torch.arange(len(TARGETS)) < count + draw.seed
        return F.one_hot(torch.where(right, TARGETS, (TARGETS + 1) % 4), 4).bool()

    return learn


def measured(*, redrawn: bool, seeds: int = 4) -> TransferGain:
    draws = [Draw(seed, torch.arange(8) + seed * redrawn, torch.zeros(8, dtype=torch.int64)) for seed in range(seeds)]
    learners = {"pixels": right_on(120), "frozen": right_on(180), "scratch": right_on(160)}
    return measure_transfer_gain(learners, draws, TARGETS, Resampling(200))


def test_the_frozen_backbone_comes_first_whatever_the_order_and_is_compared_with_each_other() -> None:
    found = measured(redrawn=True)
    assert [one.name for one in found.contenders] == ["frozen", "pixels", "scratch"]
    assert [gain.over for gain in found.gains] == ["pixels", "scratch"]
    assert found.contender("scratch").accuracies == pytest.approx((0.8, 0.805, 0.81, 0.815))
    assert found.gains[1].by_seed == pytest.approx([0.1] * 4)
    with pytest.raises(KeyError):
        found.contender("majority")


def test_draws_of_other_images_take_the_interval_over_seeds() -> None:
    found = measured(redrawn=True)
    assert found.redrawn
    assert found.interval(found.gains[0]) == paired_interval(found.gains[0].by_seed)


@pytest.mark.parametrize(("redrawn", "seeds"), [(False, 4), (True, 1)])
def test_draws_of_the_same_images_or_a_single_one_take_the_interval_over_test_images(redrawn: bool, seeds: int) -> None:
    found = measured(redrawn=redrawn, seeds=seeds)
    interval = found.interval(found.gains[0])
    assert interval is found.gains[0].over_examples
    assert interval.value == pytest.approx(0.3)
    assert interval.low < interval.value < interval.high


def test_it_tells_how_far_it_is() -> None:
    told: list[tuple[int, int]] = []
    draws = [Draw(seed, torch.arange(4), torch.zeros(4, dtype=torch.int64)) for seed in range(2)]
    learners = {"frozen": right_on(3), "scratch": right_on(2)}
    measure_transfer_gain(learners, draws, TARGETS, Resampling(10), lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
