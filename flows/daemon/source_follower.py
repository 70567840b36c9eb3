"""The source follower: after files of the source have changed and come to rest, it starts one run."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flows.daemon.source_state import RUN, TRIGGERED, Handled, SourceState, look, now, read_handled, write_handled
from thaw.foundation.errors import ThawError
from thaw.params.values.reading import PARAMS, read_params

POLL_S = 5.0
_SHARE = 20
"""Checking the source takes at most one part in this many of the time, for any number of files."""

Start = Callable[[str, str], str]
"""A function that starts a run. It gets the reason and a key, and returns a message; the same key starts no second run."""


@dataclass(frozen=True)
class Waiting:
    """A new state and the time since which it has not changed (seconds of a monotonic clock)."""

    state: SourceState
    since: float


def settle(waiting: Waiting | None, state: SourceState, clock: float) -> Waiting:
    """The awaited state after another check: the wait begins anew with each change."""
    return waiting if waiting is not None and waiting.state == state else Waiting(state, clock)


def latest(*records: Handled | None) -> Handled | None:
    """The record of the latest time; None if there is no record."""
    return max((record for record in records if record is not None), key=lambda record: record.at, default=None)


def reason(state: SourceState, before: Handled | None) -> str:
    """The reason for starting a run, as text for people."""
    if before is None:
        return f"the source has {state.files} files, and no run has been seen yet"
    more = state.files - before.state.files
    change = f"{more} more than before" if more > 0 else f"{-more} fewer than before" if more < 0 else "some changed"
    return f"the source has {state.files} files, {change}"


class Follower:
    """Follows the source of the project at `root`; `.thaw/source-triggered.json` records the runs that it started.

    A follower that was killed before it recorded a start uses the same key again, and Prefect starts no second run with
    that key.
    """

    def __init__(self, root: Path, start: Start, tell: Callable[[str], None], *, settle_s: float) -> None:
        self._root = root
        self._start = start
        self._tell = tell
        self._settle_s = settle_s
        self._waiting: Waiting | None = None
        self._said = ""

    def look_once(self, clock: float) -> None:
        """Check the source; start a run if the source has been at rest for long enough, in a state that no run has seen.

        A server that does not answer and invalid parameters are reported, and checked again next time.
        """
        try:
            self._look(clock)
        except (ThawError, OSError) as error:
            self._say_once(f"{error}; trying again")

    def follow(self) -> None:
        """Check the source repeatedly; never returns."""
        while True:
            began = time.monotonic()
            self.look_once(began)
            time.sleep(max(POLL_S, _SHARE * (time.monotonic() - began)))

    def _look(self, clock: float) -> None:
        params = read_params(self._root / PARAMS)
        state = look(self._root, params)
        if state is None:
            self._waiting = None
            self._say_once(f"there is nothing to follow: {params.dataset.source} is built in or does not exist")
            return
        triggered = read_handled(self._root / TRIGGERED)
        before = latest(triggered, read_handled(self._root / RUN))
        if before is not None and before.state == state:
            self._waiting = None
            self._say_once(f"following {params.dataset.source} ({state.files} files)")
            return
        self._waiting = settle(self._waiting, state, clock)
        if self._waiting.since == clock:
            self._say_once(f"{reason(state, before)}; a run starts once nothing changes for {self._settle_s:g} s")
        if clock - self._waiting.since >= self._settle_s:
            self._trigger(state, reason(state, before), 1 + (triggered.number if triggered else 0))

    def _trigger(self, state: SourceState, why: str, number: int) -> None:
        at = now()
        started = self._start(why, f"follow-{self._root}-{number}-{state.fingerprint}")
        write_handled(self._root / TRIGGERED, Handled(state, at, number))
        self._waiting = None
        self._said = ""
        self._tell(f"{why}: {started}")

    def _say_once(self, line: str) -> None:
        if line != self._said:
            self._said = line
            self._tell(line)
