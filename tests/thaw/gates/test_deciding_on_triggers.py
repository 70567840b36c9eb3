"""The gates on triggers: right recordings, misses, and no more false accepts than stated."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from thaw.foundation.statistics.bootstrap import Resampling
from thaw.gates.deciding import Evidence, decide
from thaw.gates.misses import misses
from thaw.gates.outcome import Verdict
from thaw.params.sections import PromotionParams
from thaw.targets.predictions import Predictions, read_predictions, write_predictions
from thaw.targets.target import target_named
from thaw.targets.trigger.common_budget import HeardClip, HeardClips
from thaw.targets.trigger.kept_promise import KeptPromise

ROWS = 400
PARAMS = PromotionParams(
    max_leaked=None, max_near_copies=None, max_suspects=None, max_calibration_loss=0.01, margin=0.05
)
KEPT = KeptPromise("go", accepted=1, hours=6.0, groups=5, bound=0.8, floor=0.01, stated=0.5)
BROKEN = replace(KEPT, accepted=12, bound=3.2, floor=1.2)


def predictions(missed: int) -> Predictions:
    """Every second recording shows the trigger, and the first `missed` of them are missed."""
    shown = (np.arange(ROWS) % 2 == 0)[:, None]
    named = shown.copy()
    named[: 2 * missed] = False
    return Predictions(
        ("go",),
        tuple(bytes([number // 256, number % 256]) * 16 for number in range(ROWS)),
        tuple(f"{number}.wav" for number in range(ROWS)),
        shown,
        np.where(named, 0.9, 0.1).astype(np.float32),
        named,
        "trigger",
    )


def heard(missed: int, budget: float = 0.5) -> HeardClips:
    """Of 200 clips of 40 groups, the first `missed` are heard only beyond the budget."""
    rates = [3.0 if number < missed else 0.0 for number in range(200)]
    clips = tuple(HeardClip(f"{number}", f"speaker {number % 40}", rate) for number, rate in enumerate(rates))
    return HeardClips("go", budget, clips)


def test_misses_are_compared_at_one_budget_on_the_same_clips() -> None:
    assert misses((heard(4),), (heard(4),), Resampling(200)).verdict is Verdict.PASS
    assert misses((heard(4),), (heard(7),), Resampling(200)).verdict is Verdict.PASS, "too few to be sure"
    worse = misses((heard(4),), (heard(60),), Resampling(200))
    assert worse.verdict is Verdict.FAIL and worse.refuses
    assert "of 200 test clips at 0.5 false accepts an hour, +28.0 points (" in worse.words
    assert misses((heard(4),), (heard(60, budget=5.0),), Resampling(200)).verdict is Verdict.PASS, "all at 5 an hour"
    assert misses(None, (heard(4),), Resampling(200)).verdict is Verdict.NOT_ASKED
    assert misses((heard(4),), None, Resampling(200)).refuses


def outcomes(evidence: Evidence) -> dict[str, Verdict]:
    return {outcome.gate: outcome.verdict for outcome in decide(evidence, PARAMS, Resampling(200)).outcomes}


def test_the_first_version_must_keep_its_promise_too() -> None:
    assert decide(Evidence(None, predictions(3), false_accepts=(KEPT,)), PARAMS, Resampling(200)).promote
    decision = decide(Evidence(None, predictions(3), false_accepts=(KEPT, BROKEN)), PARAMS, Resampling(200))
    assert not decision.promote
    assert decision.reason.startswith("more false accepts than stated: go 12 in 6 test hours (1.2 to 3.2 an hour)")


def test_what_was_not_measured_is_refused() -> None:
    decision = decide(Evidence(None, predictions(3)), PARAMS, Resampling(200))
    assert not decision.promote and "false_accepts.json" in decision.reason


def test_equal_models_pass_and_one_that_misses_more_does_not() -> None:
    same = outcomes(Evidence(predictions(3), predictions(3), false_accepts=(KEPT,), heard_clips=(heard(3),)))
    assert Verdict.FAIL not in same.values() and same["calibration"] is Verdict.NOT_ASKED
    worse = outcomes(Evidence(predictions(3), predictions(60), false_accepts=(KEPT,), heard_clips=(heard(60),)))
    assert worse["paired test"] is Verdict.FAIL and worse["recall"] is Verdict.FAIL


def test_a_trigger_and_sets_of_labels_are_not_compared() -> None:
    decision = decide(
        Evidence(replace(predictions(3), target_name=None), predictions(3), false_accepts=(KEPT,)), PARAMS
    )
    assert not decision.promote and "gives sets of labels and the challenger triggers" in decision.reason


def test_predictions_keep_their_target(tmp_path: Path) -> None:
    write_predictions(predictions(2), tmp_path / "predictions.parquet")
    read = read_predictions(tmp_path / "predictions.parquet")
    assert read.target == target_named("trigger")
    np.testing.assert_array_equal(read.named, predictions(2).named)
