"""Following the source: when its files have changed and then come to rest, a run is started, once."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flows.daemon.source_state import RUN, TRIGGERED, Handled, SourceState, look, now, read_handled, write_handled
from thaw.foundation.errors import ThawError
from thaw.params.reading import PARAMS, read_params

POLL_S = 5.0
_SHARE = 20
"""Looking takes one part of this of the time at most, however many files there are."""

Start = Callable[[str, str], str]
"""Starts a run, told why and a key (the same key starts no second one); returns what to say of it."""


@dataclass(frozen=True)
class Waiting:
    """A new state, and since when it has been as it is (seconds of a clock that does not go back)."""

    state: SourceState
    since: float


def settle(waiting: Waiting | None, seen: SourceState, clock: float) -> Waiting:
    """What is waited for, after another look: the wait begins anew with each change."""
    return waiting if waiting is not None and waiting.state == seen else Waiting(seen, clock)


def latest(*records: Handled | None) -> Handled | None:
    """The record that counts."""
    return max((one for one in records if one is not None), key=lambda one: one.at, default=None)


def reason(seen: SourceState, before: Handled | None) -> str:
    """Why a run is started, for people."""
    if before is None:
        return f"the source has {seen.files} files, and no run has been seen yet"
    more = seen.files - before.state.files
    change = f"{more} more than before" if more > 0 else f"{-more} fewer than before" if more < 0 else "some changed"
    return f"the source has {seen.files} files, {change}"


class Follower:
    """Follows the source of the project at `root`; what it has started is kept in `.thaw/source-triggered.json`.

    Killed before it could record a start, it starts with the same key again, and Prefect knows that key.
    """

    def __init__(self, root: Path, start: Start, tell: Callable[[str], None], *, settle_s: float) -> None:
        self._root = root
        self._start = start
        self._tell = tell
        self._settle_s = settle_s
        self._waiting: Waiting | None = None
        self._said = ""

    def look_once(self, clock: float) -> None:
        """Look at the source; start a run if it has been at rest, in a state that none has seen, for long enough.

        A server that does not answer, or parameters that are not valid, are told, and looked at again next time.
        """
        try:
            self._look(clock)
        except (ThawError, OSError) as error:
            self._say_once(f"{error}; trying again")

    def follow(self) -> None:
        """Look again and again; never returns."""
        while True:
            began = time.monotonic()
            self.look_once(began)
            time.sleep(max(POLL_S, _SHARE * (time.monotonic() - began)))

    def _look(self, clock: float) -> None:
        params = read_params(self._root / PARAMS)
        seen = look(self._root, params)
        if seen is None:
            self._waiting = None
            self._say_once(f"there is nothing to follow: {params.dataset.source} is built in, or not there")
            return
        triggered = read_handled(self._root / TRIGGERED)
        before = latest(triggered, read_handled(self._root / RUN))
        if before is not None and before.state == seen:
            self._waiting = None
            self._say_once(f"following {params.dataset.source} ({seen.files} files)")
            return
        self._waiting = settle(self._waiting, seen, clock)
        if self._waiting.since == clock:
            self._say_once(f"{reason(seen, before)}; a run starts once nothing changes for {self._settle_s:g} s")
        if clock - self._waiting.since >= self._settle_s:
            self._trigger(seen, reason(seen, before), 1 + (triggered.number if triggered else 0))

    def _trigger(self, seen: SourceState, why: str, number: int) -> None:
        at = now()
        started = self._start(why, f"follow-{self._root}-{number}-{seen.fingerprint}")
        write_handled(self._root / TRIGGERED, Handled(seen, at, number))
        self._waiting = None
        self._said = ""
        self._tell(f"{why}: {started}")

    def _say_once(self, line: str) -> None:
        if line != self._said:
            self._said = line
            self._tell(line)
