"""Misses at a budget: the same as those of the threshold that keeps it."""

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from trigger_evidence import REFRACTORY, WORD, clips, recordings

from thaw.foundation.statistics.bootstrap import Resampling
from thaw.targets.trigger.common_budget import compare_misses, heard_clips, read_heard_clips, write_heard_clips
from thaw.targets.trigger.evidence import background_of

BACKGROUND = background_of(recordings(20), REFRACTORY)
PEAKS = [-8.0, -4.0, -3.0, -2.5, -2.0, -1.5, 0.0, 4.0]
CLIPS = clips(PEAKS, groups=4)
DIGESTS = [bytes([number]) * 32 for number in range(len(PEAKS))]


@given(st.floats(0, 400))
def test_a_clip_is_missed_where_the_lowest_threshold_of_the_budget_misses_it(budget: float) -> None:
    heard = heard_clips(WORD, 0.5, CLIPS, DIGESTS, BACKGROUND)
    threshold = BACKGROUND.threshold(int(budget * BACKGROUND.hours))
    peaks = np.array([clip.peak for clip in CLIPS])
    missed = np.array(list(heard.missed(budget).values()))
    assert (missed <= (peaks <= threshold)).all(), "what the threshold hears is heard"
    between = BACKGROUND.levels[BACKGROUND.levels < threshold].max(initial=-np.inf)
    assert not missed[peaks > threshold].any() and missed[peaks <= between].all()


def test_the_comparison_takes_the_clips_that_both_have(tmp_path: Path) -> None:
    one = heard_clips(WORD, 0.5, CLIPS, DIGESTS, BACKGROUND)
    other = heard_clips(WORD, 0.5, clips([4.0] * 4, groups=4), DIGESTS[:4], BACKGROUND)
    found = compare_misses(one, other, Resampling(100))
    assert found is not None and found.clips == 4 and found.challenger == 0 < found.champion
    assert found.more.value == -found.champion and found.more.high <= 0
    foreign = heard_clips(WORD, 0.5, clips([4.0], groups=1), [b"!" * 32], BACKGROUND)
    assert compare_misses(one, foreign, Resampling(100)) is None
    write_heard_clips([one], tmp_path / "heard.json")
    assert read_heard_clips(tmp_path / "heard.json") == (one,)
