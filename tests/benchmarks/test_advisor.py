"""The four cases of the classic rule, made of real handwriting: the advice names each, and no strategy is shown to be better than its choice."""

from pathlib import Path

import pytest
from advising.trials import Scenario, Settings, hold_trial

from thaw.params.sections import FinetuneParams, HeadParams, ScratchParams

FEW = FinetuneParams(epochs=1, augment="none", scratch=ScratchParams(epochs=1))
SETTINGS = Settings(HeadParams(l2=(1e-3, 1e-1), hidden=(64,), epochs=10, folds=2), FEW, repeats=1)
QUICK = Settings(HeadParams(l2=(1e-2, 1e-1), hidden=(32,), epochs=5, folds=2), FEW, repeats=1, test=300)
"""Enough where many labels of a task like the source's leave little to choose."""
SEED = 1_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scenario", "settings", "small", "similarity"),
    [
        (Scenario("digit", 12, SEED), SETTINGS, True, "similar"),
        (Scenario("brightness", 25, SEED), SETTINGS, True, "different"),
        (Scenario("digit", 52, SEED), QUICK, False, "similar"),
        (Scenario("position", 130, SEED), SETTINGS, False, "different"),
    ],
    ids=lambda value: type(value).__name__.lower() if isinstance(value, Settings) else str(value),
)
def test_the_case_is_named_and_nothing_is_shown_to_beat_the_choice(
    scenario: Scenario, settings: Settings, small: bool, similarity: str, tmp_path: Path
) -> None:
    trial = hold_trial(scenario, settings, tmp_path)
    assert (trial.small, trial.similarity) == (small, similarity), trial
    assert trial.behind.high >= 0, trial
