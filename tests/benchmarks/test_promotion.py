"""The simulation of a year of nights, on a few."""

from dataclasses import replace

import numpy as np
import pytest
from promotion import GAIN, PATIENCE, RIGHT, SHARES, Setting, simulate

CALM = Setting(200, 6, "not_worse", "calm", ours=True)


def test_equal_models_are_equal_and_the_same_seed_gives_the_same_history() -> None:
    first, again = simulate(CALM, 1), simulate(CALM, 1)
    assert set(first.truth) == {float(SHARES @ RIGHT)} and first.promoted == again.promoted
    assert first.promoted[0] == 0 and abs(first.measured - first.champion) < 0.1


@pytest.mark.parametrize("ours", [True, False])
def test_a_gain_comes_in_the_last_nights_and_is_measured(ours: bool) -> None:
    history = simulate(replace(CALM, rows=2000, nights=2 + PATIENCE, pace="gain", ours=ours), 0)
    assert history.truth[-1] - history.truth[0] == pytest.approx(GAIN)
    measured = [
        simulate(replace(CALM, rows=4000, nights=1 + PATIENCE, pace="gain", ours=False), seed) for seed in range(5)
    ]
    assert np.mean([history.measured - history.champion for history in measured]) == pytest.approx(0, abs=0.006), (
        "the models are as good as their truth says"
    )


def test_a_decline_is_slow() -> None:
    assert simulate(replace(CALM, nights=4, pace="decline"), 0).truth[-1] == pytest.approx(
        float(SHARES @ RIGHT) - 0.0003
    )
