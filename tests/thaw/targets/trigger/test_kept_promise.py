"""What unheard sound shows of a promise: events at the promised threshold, and both bounds of their rate."""

from pathlib import Path

import numpy as np
import pytest

from thaw.foundation.errors import BadArtifact
from thaw.foundation.statistics.poisson_bound import rate_bound, rate_floor
from thaw.targets.trigger.events import Background, ScoredRecording
from thaw.targets.trigger.kept_promise import kept_promise, read_kept_promises, write_kept_promises
from thaw.targets.trigger.promise import Budget, Promise

PROMISE = Promise(1.0, Budget(0.5), hours=7, groups=9, accepted=0, dispersion=1.0, bound=0.43, missing_hours=0)


def other(group: str, *peaks: float) -> ScoredRecording:
    scores = np.zeros(100, np.float32)
    scores[: 10 * len(peaks) : 10] = peaks
    return ScoredRecording(scores, 2.0, group)


def test_events_are_counted_at_the_promised_threshold() -> None:
    found = kept_promise("go", PROMISE, Background([other("x", 2, 2), other("y", 1.0), other("z", 5)], 5))
    assert (found.accepted, found.hours, found.groups) == (3, 6.0, 3), "a score at the threshold is no event"
    assert found.an_hour == 0.5 and found.stated == 0.43 and not found.is_broken
    assert found.floor < found.an_hour < found.bound
    assert kept_promise("go", PROMISE, Background([other(name, 2, 2, 2, 2) for name in "abcdef"], 5)).is_broken


@pytest.mark.parametrize(("events", "expected"), [(0, 0.0), (1, 0.0513), (10, 5.425)])
def test_the_lower_bound_is_garwood_s(events: int, expected: float) -> None:
    assert rate_floor(events, 1.0, 0.95) == pytest.approx(expected, abs=1e-3)
    assert rate_floor(events, 1.0, 0.95, dispersion=2.0) <= rate_floor(events, 1.0, 0.95) <= events
    assert rate_floor(events, 1.0, 0.95) <= rate_bound(events, 1.0, 0.95)
    with pytest.raises(ValueError, match="hours must be above 0"):
        rate_floor(1, 0.0, 0.95)


def test_they_are_written_and_read(tmp_path: Path) -> None:
    kept = kept_promise("go", PROMISE, Background([other("x", 2)], 5))
    write_kept_promises([kept], tmp_path / "false_accepts.json")
    assert read_kept_promises(tmp_path / "false_accepts.json") == (kept,)
    (tmp_path / "false_accepts.json").write_text("[{}]")
    with pytest.raises(BadArtifact, match="thaw run --stage evaluate"):
        read_kept_promises(tmp_path / "false_accepts.json")
