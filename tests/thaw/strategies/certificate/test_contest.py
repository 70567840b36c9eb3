"""The contest: the same draws for all, a bound on its time, and nothing held twice."""

from pathlib import Path

import pytest
import torch

from thaw.strategies.baselines.transfer_gain import Draw
from thaw.strategies.certificate.contest import Competitor, hold_contest

DRAWS = [Draw(seed, torch.arange(4), torch.tensor([0, 1, 0, 1])) for seed in range(3)]


class Learner:
    """Names the class of the seed of every test image, and nothing of the last one; and counts."""

    def __init__(self, fails_on: int | None = None) -> None:
        self.asked: list[int] = []
        self.fails_on = fails_on

    def __call__(self, draw: Draw) -> torch.Tensor:
        if draw.seed == self.fails_on:
            raise KeyboardInterrupt
        self.asked.append(draw.seed)
        named = torch.zeros(5, 3, dtype=torch.bool)
        named[:4, draw.seed] = True
        return named


def test_everyone_learns_from_every_draw(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    one, other = Learner(), Learner()
    found = hold_contest(
        [Competitor("linear", "strategy", one), Competitor("majority", "baseline", other)],
        DRAWS,
        minutes=1,
        keep=tmp_path,
        progress=lambda *at: seen.append(at),
    )
    named = found.named["linear"]
    assert named.shape == (3, 5, 3) and named[:, :4].argmax(2).tolist() == [[0] * 4, [1] * 4, [2] * 4]
    assert not named[:, 4].any()
    assert one.asked == other.asked == [0, 1, 2] and not found.skipped
    assert seen[-1] == (6, 6) and seen == sorted(seen)


def test_what_does_not_fit_is_left_out_and_named(tmp_path: Path) -> None:
    dear, cheap, quick = Learner(), Learner(), Learner()
    found = hold_contest(
        [
            Competitor("full", "strategy", dear, seconds=lambda rows: 100.0 * rows),
            Competitor("last block", "strategy", quick, seconds=lambda rows: 0.1 * rows),
            Competitor("linear", "strategy", cheap),
        ],
        DRAWS,
        minutes=1,
        keep=tmp_path,
    )
    assert list(found.named) == ["last block", "linear"] and not dear.asked
    assert [one.name for one in found.skipped] == ["full"]
    assert "20 minutes" in found.skipped[0].reason and "compare.minutes" in found.skipped[0].reason


def test_one_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    stopped = Learner(fails_on=2)
    with pytest.raises(KeyboardInterrupt):
        hold_contest([Competitor("full", "strategy", stopped)], DRAWS, minutes=1, keep=tmp_path)
    again = Learner()
    found = hold_contest([Competitor("full", "strategy", again)], DRAWS, minutes=1, keep=tmp_path)
    assert again.asked == [2]
    assert found.named["full"][:, 0].argmax(1).tolist() == [0, 1, 2]


def test_what_is_held_already_needs_no_time(tmp_path: Path) -> None:
    competitor = Competitor("full", "strategy", Learner(), seconds=lambda rows: 1e-9)
    hold_contest([competitor], DRAWS, minutes=1, keep=tmp_path)
    dear = Competitor("full", "strategy", Learner(), seconds=lambda rows: 1e9)
    assert not hold_contest([dear], DRAWS, minutes=0, keep=tmp_path).skipped


def test_a_torn_trial_is_held_again(tmp_path: Path) -> None:
    hold_contest([Competitor("linear", "strategy", Learner())], DRAWS, minutes=1, keep=tmp_path)
    torn = sorted(tmp_path.iterdir())[1]
    torn.write_bytes(torn.read_bytes()[:7])
    again = Learner()
    hold_contest([Competitor("linear", "strategy", again)], DRAWS, minutes=1, keep=tmp_path)
    assert again.asked == [1]
