"""Pretraining learns something, tells how far it is, and repeats itself."""

import torch

from thaw.pretraining.pretraining import PretrainSettings, pretrain
from thaw.pretraining.source_task import SourceTask

TASK = SourceTask(classes=4, seed=2)
SETTINGS = PretrainSettings(steps=40, batch_size=32, ema_decay=0.8, held_out=200)


def test_a_minute_of_learning_beats_chance() -> None:
    told: list[tuple[int, int]] = []
    made = pretrain(TASK, SETTINGS, lambda done, total: told.append((done, total)))
    assert made.accuracy > 0.5, "chance is a quarter"
    assert told == [(step, 40) for step in range(1, 41)]
    assert made.losses[-1][1] < made.losses[0][1]
    assert not made.model.training


def test_the_same_seed_gives_the_same_weights_and_leaves_the_callers_random_state() -> None:
    settings = PretrainSettings(steps=2, batch_size=8, held_out=8)
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, second = (pretrain(TASK, settings).model.state_dict() for _ in range(2))
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(first[name], second[name]) for name in first)
