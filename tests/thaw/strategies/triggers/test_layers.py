"""One new layer or several, by held-out recordings."""

from pathlib import Path

import pytest
import torch

from thaw.foundation.errors import BadArtifact
from thaw.foundation.statistics.bootstrap import Estimate, Resampling
from thaw.heads.trigger.fitting import DetectorSettings
from thaw.heads.trigger.tuning import HeardRecording
from thaw.params.values.strategy import Strategy
from thaw.strategies.triggers.layers import Layers, Measurement, Trial, better_layers, measure_layers
from thaw.strategies.triggers.page import render_trigger_advice
from thaw.strategies.triggers.record import (
    TriggerAdvice,
    is_on_triggers,
    read_trigger_advice,
    verdict,
    write_trigger_advice,
)

SMALL = DetectorSettings(places=3, negatives=200, hard=20, turns=1, epochs=5)
SETTINGS: dict[Layers, DetectorSettings] = {
    "linear": SMALL,
    "mlp": DetectorSettings(layers="several", places=3, negatives=200, hard=20, turns=1, epochs=5),
}
MEASUREMENT = Measurement(0.5, 5, Resampling(200))


def heard(seed: int, group: str, *words: str) -> HeardRecording:
    sequence = torch.randn(20, 4, generator=torch.Generator().manual_seed(seed))
    if words:
        sequence[6:9] += 6 * torch.eye(3, 4)
    return HeardRecording(sequence, 0.5, group, words, 8)


def trial(layers: Layers, misses: float) -> Trial:
    return Trial("<b>go", layers, Estimate(misses, 0.0, 0.2), 9, 3, 1.5)


def test_recordings_of_a_group_are_held_out_together_and_a_plain_pattern_is_found() -> None:
    recordings = [heard(number, f"speaker {number % 5}", *(("go",) if number % 2 else ())) for number in range(40)]
    told: list[int] = []
    trials = measure_layers(["go"], recordings, SETTINGS, MEASUREMENT, lambda done, _: told.append(done))
    assert [each.layers for each in trials] == ["linear", "mlp"] and told == [1, 2]
    for each in trials:
        assert (each.clips, each.groups, each.hours) == (20, 5, 10.0)
        assert each.misses.value < 0.2 and each.misses.high > 0, "no interval is without width"


def test_too_few_groups_give_no_trial_and_several_layers() -> None:
    alone = [heard(0, "one", "go"), heard(1, "one", "go"), heard(2, "two")]
    assert measure_layers(["go"], alone, SETTINGS, MEASUREMENT) == ()
    assert better_layers(()) == "mlp"


@pytest.mark.parametrize(("one", "several", "better"), [(0.0, 0.05, "linear"), (0.1, 0.05, "mlp"), (0.1, 0.104, "mlp")])
def test_several_layers_are_taken_unless_they_miss_more(one: float, several: float, better: str) -> None:
    assert better_layers([trial("linear", one), trial("mlp", several)]) == better


def test_the_advice_is_written_read_and_shown(tmp_path: Path) -> None:
    trials = (trial("linear", 0.0), trial("mlp", 0.05))
    advice = TriggerAdvice(trials, 0.5, Strategy("linear", "embedding"), "it misses less", automatic=True)
    write_trigger_advice(advice, tmp_path / "advice.json")
    assert read_trigger_advice(tmp_path / "advice.json") == advice and is_on_triggers(tmp_path / "advice.json")
    assert verdict(advice) == "Train one new layer on windows of the sound: it misses less."
    page = render_trigger_advice(advice, "<i>name")
    assert "missed at 0.5 false accepts an hour" in page.lower() and "<b>go" not in page and "<i>name" not in page
    (tmp_path / "advice.json").write_text('{"format": "thaw.advice/1"}')
    assert not is_on_triggers(tmp_path / "advice.json") and not is_on_triggers(tmp_path / "missing.json")
    with pytest.raises(BadArtifact, match="no advice on triggers"):
        read_trigger_advice(tmp_path / "advice.json")
