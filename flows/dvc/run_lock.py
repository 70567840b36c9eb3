"""The lock that lets only one run at a time use a project; the lock ends with the process that holds it."""

import fcntl
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from flows.project.environment import STATE
from flows.project.errors import AlreadyUp, RunInProgress

LOCK = STATE / "run.lock"
UP_LOCK = STATE / "up.lock"
"""The lock that the project's `thaw up` or `thaw ui` holds as long as it lives."""
_POLL_S = 0.2
_PROBED_S = 1.0
"""Seconds to wait for a lock, because another process that looks whether it is held holds it for a moment."""
_own_locks: set[Path] = set()
"""The locks that this process holds. A command that holds a lock already may start a flow that takes the same lock."""


@dataclass(frozen=True)
class Holder:
    """The process that holds a project's lock."""

    pid: int
    started: str
    """The time at which it took the lock, UTC, ISO 8601 in whole seconds."""

    def __str__(self) -> str:
        return f"another run (process {self.pid}, since {self.started}) holds this project"

    @classmethod
    def read(cls, lock: Path) -> "Holder":
        """The holder that signed the lock file; one that has locked but not yet signed is process 0."""
        with lock.open("r", encoding="utf-8") as file:
            return _read_holder(file)


@contextmanager
def run_lock(
    root: Path, *, wait: bool = True, on_wait: Callable[[Holder], None] = lambda holder: None
) -> Iterator[None]:
    """Hold the lock of the project at `root`; a second use in the same process passes through.

    The kernel drops the lock with the process in every case, so a kill leaves nothing to clean up.
    `on_wait` is called once, with the holder, before the waiting starts.

    Raises:
        RunInProgress: another process holds the lock and `wait` is false.
    """
    path = (root / LOCK).resolve()
    if path in _own_locks:
        yield
        return
    try:
        with _hold(path, wait_s=math.inf if wait else _PROBED_S, on_wait=on_wait):
            yield
    except _LockTaken as taken:
        advice = "try again when it has ended, or leave out --no-wait to wait for it"
        raise RunInProgress(f"{taken.holder}; {advice}", holder=str(taken.holder)) from None


@contextmanager
def up_lock(root: Path) -> Iterator[None]:
    """Hold the lock of the only `thaw up` or `thaw ui` of the project at `root`.

    Raises:
        AlreadyUp: another `thaw up` or `thaw ui` of the project lives.
    """
    try:
        with _hold((root / UP_LOCK).resolve(), wait_s=_PROBED_S, on_wait=lambda holder: None):
            yield
    except _LockTaken as taken:
        raise AlreadyUp(f"it is up already (process {taken.holder.pid}, since {taken.holder.started})") from None


def is_up(root: Path) -> bool:
    """Whether a `thaw up` or `thaw ui` of the project at `root` lives."""
    return is_held(root / UP_LOCK)


def is_held(lock: Path) -> bool:
    """Whether a process holds the lock of that file; the look holds it for no longer than that."""
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


class _LockTaken(Exception):
    def __init__(self, holder: Holder) -> None:
        super().__init__(str(holder))
        self.holder = holder


@contextmanager
def _hold(path: Path, *, wait_s: float, on_wait: Callable[[Holder], None]) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    # The file is opened for appending: truncation before the lock is taken would wipe the holder's name.
    with path.open("a+", encoding="utf-8") as file:
        _acquire(file, wait_s=wait_s, on_wait=on_wait)
        _sign(file)
        _own_locks.add(path)
        try:
            yield
        finally:
            _own_locks.discard(path)
            file.truncate(0)


def _acquire(file: IO[str], *, wait_s: float, on_wait: Callable[[Holder], None]) -> None:
    deadline, probed = time.monotonic() + wait_s, time.monotonic() + _PROBED_S
    reported = False
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _read_holder(file)
            if time.monotonic() >= deadline:
                raise _LockTaken(holder) from None
            if not reported and time.monotonic() >= probed:
                on_wait(holder)
                reported = True
            time.sleep(_POLL_S)
        else:
            return


def _sign(file: IO[str]) -> None:
    file.truncate(0)
    json.dump({"pid": os.getpid(), "started": datetime.now(UTC).isoformat(timespec="seconds")}, file)
    file.flush()


def _read_holder(file: IO[str]) -> Holder:
    """The holder that signed the file; a holder that has locked but not yet signed is process 0."""
    file.seek(0)
    try:
        values = json.load(file)
        return Holder(pid=int(values["pid"]), started=str(values["started"]))
    except (ValueError, KeyError, TypeError):
        return Holder(pid=0, started="this moment")
