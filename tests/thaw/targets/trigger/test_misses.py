"""Misses: shares with intervals over groups, and curves that fall."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thaw.foundation.statistics.bootstrap import Resampling
from thaw.targets.trigger.events import Background, ScoredRecording
from thaw.targets.trigger.misses import det_curve, miss_rate, misses_at

FEW = Resampling(resamples=200)


@given(st.integers(0, 1000), st.floats(-3, 3))
def test_the_interval_holds_the_share(seed: int, threshold: float) -> None:
    draw = np.random.default_rng(seed)
    peaks = draw.standard_normal(30).astype(np.float32)
    found = miss_rate(peaks, threshold, [str(each) for each in draw.integers(6, size=30)], FEW)
    assert found.value == np.mean(peaks <= threshold)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high


def test_clips_of_one_speaker_tell_less_than_clips_of_many() -> None:
    peaks = np.repeat([0.0, 1.0], [10, 30]).astype(np.float32)
    many = miss_rate(peaks, 0.5, [str(each) for each in range(40)], FEW)
    few = miss_rate(peaks, 0.5, [str(each // 10) for each in range(40)], FEW)
    assert few.high - few.low > 2 * (many.high - many.low)


def test_nothing_missed_has_a_bound_above_zero() -> None:
    found = miss_rate(np.ones(20, np.float32), 0.5, [str(each) for each in range(20)], FEW)
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 20))


@given(st.integers(0, 1000))
def test_a_curve_trades_misses_for_false_accepts(seed: int) -> None:
    draw = np.random.default_rng(seed)
    peaks = (draw.standard_normal(20) + 2).astype(np.float32)
    recordings = [ScoredRecording(draw.standard_normal(30).astype(np.float32), 0.5, str(each)) for each in range(4)]
    curve = det_curve(peaks, Background(recordings, 3))
    assert (np.diff(curve.thresholds) > 0).all()
    assert (np.diff(curve.misses) >= 0).all()
    assert (np.diff(curve.false_accepts_per_hour) <= 0).all()
    assert curve.misses[-1] == 1 or curve.false_accepts_per_hour[-1] == 0
    assert misses_at(curve, 0.0) >= misses_at(curve, 5.0)
    assert misses_at(curve, np.inf) == curve.misses[0]
