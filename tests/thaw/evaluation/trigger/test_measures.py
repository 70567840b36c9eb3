"""What the evidence of a trigger says, against what can be counted by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trigger_evidence import PERIOD_S, clips, evidence_of, in_folds, scored

from thaw.evaluation.trigger.measures import (
    false_accepts,
    furthest_from_the_trigger,
    misses,
    misses_by_group,
    nearest_to_the_trigger,
    trade_off,
)
from thaw.foundation.statistics.bootstrap import Resampling
from thaw.foundation.statistics.poisson_bound import rate_bound
from thaw.targets.trigger.evidence import CLEAN, background_of

FEW = Resampling(resamples=200)
PEAKS = {CLEAN: [4.0, 3.0, 2.0, -1.0], 0.0: [1.0, -1.0, -2.0, -3.0]}
"""Of two speakers in turn."""


def test_misses_are_counted_by_noise_and_by_speaker() -> None:
    evidence = evidence_of(PEAKS)
    clean, noisy = misses(evidence, FEW)
    assert (clean.snr, clean.missed, clean.clips, clean.share.value) == (CLEAN, 1, 4, 0.25)
    assert (noisy.snr, noisy.missed, noisy.share.value) == (0.0, 3, 0.75)
    assert clean.share.low <= 0.25 <= clean.share.high
    assert [(row.group, row.clips, row.missed) for row in misses_by_group(evidence)] == [
        ("speaker 1", 2, (1, 2)),
        ("speaker 0", 2, (0, 1)),
    ]


def test_clips_without_speakers_have_no_table() -> None:
    assert misses_by_group(evidence_of(PEAKS, groups=4)) == ()


def test_a_peak_at_the_threshold_is_missed_and_a_clip_without_a_score_too() -> None:
    evidence = evidence_of({CLEAN: [0.0, 1.0]})
    (trial,) = evidence.trials
    short = replace(evidence, trials=(replace(trial, clips=(*trial.clips, scored([], word="view glass"))),))
    assert misses(short, FEW)[0].missed == 2
    worst = furthest_from_the_trigger(short, 2)
    assert [moment.above for moment in worst] == [-np.inf, 0.0]
    assert misses(replace(evidence, trials=()), FEW) == ()


def test_folds_measure_each_clip_at_the_threshold_of_its_own_detector() -> None:
    whole = evidence_of(PEAKS)
    parted = in_folds(whole)
    assert [each.missed for each in misses(parted, FEW)] == [1, 3]
    one, other = trade_off(whole), trade_off(parted)
    np.testing.assert_allclose(one.an_hour, other.an_hour)
    for snr in PEAKS:
        np.testing.assert_allclose(one.misses[snr], other.misses[snr])
    worst = [(moment.scored.path, moment.above) for moment in furthest_from_the_trigger(parted, 4)]
    assert [path for path, _ in worst] == ["3.flac", "2.flac", "1.flac", "0.flac"]
    assert [above for _, above in worst] == pytest.approx([-1, 2, 3, 4], abs=1e-5)


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_a_trade_off_falls_and_meets_what_is_counted(seed: int) -> None:
    draw = np.random.default_rng(seed)
    evidence = evidence_of({CLEAN: draw.normal(1, 3, 12).tolist(), 5.0: draw.normal(0, 3, 12).tolist()}, hours=0.4)
    found = trade_off(evidence)
    assert found.an_hour[0] == 0 and (np.diff(found.an_hour) > 0).all()
    (trial,) = evidence.trials
    for snr, curve in found.misses.items():
        assert (np.diff(curve) <= 0).all()
        peaks = np.array([clip.peak for clip in trial.clips if clip.snr == snr])
        highest = trial.background.threshold(0)
        assert curve[0] == np.mean(peaks <= highest)


def test_false_accepts_are_promised_where_they_tuned_and_counted_where_they_were_not_heard() -> None:
    tuned = in_folds(evidence_of(PEAKS, budget=20))
    found = false_accepts(tuned)
    assert (found.bound, found.accepted) == (tuned.promise.bound, tuned.promise.accepted) and found.accepted > 0
    quiet = tuple(replace(each, scores=each.scores - 20) for each in tuned.others[:5])
    loud = replace(quiet[0], scores=np.where(np.arange(len(quiet[0].scores)) == 7, 90, quiet[0].scores).astype(np.float32))  # fmt: skip
    counted = false_accepts(replace(tuned, others=(loud, *quiet[1:]), unheard=True))
    hours = 5 * tuned.others[0].hours
    assert (counted.accepted, counted.groups, counted.hours) == (1, 5, pytest.approx(hours))
    assert counted.bound >= rate_bound(1, hours, 0.95) and counted.least == pytest.approx(rate_bound(0, hours, 0.95))


def test_the_highest_scores_are_a_refractory_time_apart() -> None:
    evidence = evidence_of(PEAKS)
    scores = np.full(200, -9, np.float32)
    scores[[20, 24, 26, 60, 150]] = [3, 5, 4, 2, 1]
    found = nearest_to_the_trigger(replace(evidence, others=(scored(scores, name="b.flac"), scored([]))), 3)
    assert [round((moment.at_s - 1.5) / PERIOD_S) for moment in found] == [24, 60, 150]
    assert found[0].above == pytest.approx(5 - evidence.promise.threshold)
    whole = nearest_to_the_trigger(evidence, 10_000)
    above = sum(moment.above > 0 for moment in whole)
    assert above == evidence.promise.accepted
    assert above == background_of(evidence.others, 25).false_accepts(evidence.promise.threshold).sum()


def test_a_moment_is_where_the_score_is_highest() -> None:
    (clip,) = clips([2.0], groups=1)
    assert clip.peak == 2.0 and clip.at_s(int(clip.scores.argmax())) == pytest.approx(1.9)
