"""The four cases of the classic rule, made of real handwriting: the advice names each, and no strategy is shown to be better than its choice."""

from pathlib import Path

import pytest
from advising.trials import Scenario, Settings, hold_trial

from thaw.params.sections import FinetuneParams, HeadParams, ScratchParams

FEW = FinetuneParams(epochs=1, augment="none", scratch=ScratchParams(epochs=1))
SETTINGS = Settings(HeadParams(l2=(1e-3, 1e-1), hidden=(64,), epochs=10, folds=2), FEW, repeats=1)
SEED = 1_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scenario", "small", "similarity"),
    [
        (Scenario("digit", 12, SEED), True, "similar"),
        (Scenario("brightness", 25, SEED), True, "different"),
        (Scenario("digit", 52, SEED), False, "similar"),
        (Scenario("position", 130, SEED), False, "different"),
    ],
    ids=str,
)
def test_the_case_is_named_and_nothing_is_shown_to_beat_the_choice(
    scenario: Scenario, small: bool, similarity: str, tmp_path: Path
) -> None:
    trial = hold_trial(scenario, SETTINGS, tmp_path)
    assert (trial.small, trial.similarity) == (small, similarity), trial
    assert trial.behind.high >= 0, trial
