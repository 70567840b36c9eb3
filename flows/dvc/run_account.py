"""The account that a run keeps of itself, for the commands that are given while it goes on: which stages are done, which is at work, and how far."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from flows.dvc.run_lock import LOCK, Holder, is_held
from flows.project.environment import STATE
from thaw.foundation.files.atomic import write_text

ACCOUNT = STATE / "run.json"
_PAUSE_S = 0.5
"""Seconds for which a stage's lines are gathered before they are written; a stage may print many."""


@dataclass(frozen=True)
class AtWork:
    """A stage at work, since when (UTC, ISO 8601), and its latest line."""

    stage: str
    since: str
    says: str = ""

    def __str__(self) -> str:
        return f"{self.stage} since {_clock(self.since)}{f' ({self.says})' if self.says else ''}"


@dataclass(frozen=True)
class Account:
    """A run by its process, the time of its begin, the stages at work, and those that are done."""

    pid: int
    since: str
    at_work: tuple[AtWork, ...] = ()
    done: tuple[str, ...] = ()

    def __str__(self) -> str:
        stages = ", ".join(map(str, self.at_work)) or "between two stages"
        return f"a run is going on (process {self.pid}, since {_clock(self.since)}): {stages}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class Keeper:
    """Writes the account of this process's run below `root`; for use from several threads."""

    def __init__(self, root: Path) -> None:
        self._path = root / ACCOUNT
        self._since = _now()
        self._at_work: dict[str, AtWork] = {}
        self._done: list[str] = []
        self._later: threading.Timer | None = None
        """The write that is due for the lines since the last one."""
        self._guard = threading.Lock()

    def starts(self, stage: str) -> None:
        """A stage is at work from now on."""
        with self._guard:
            self._at_work[stage] = AtWork(stage, _now())
            self._write()

    def says(self, stage: str, line: str) -> None:
        """A stage printed a line."""
        with self._guard:
            if line.strip() and (before := self._at_work.get(stage)):
                self._at_work[stage] = AtWork(stage, before.since, line.strip())
                if self._later is None:
                    self._later = threading.Timer(_PAUSE_S, self._write_later)
                    self._later.daemon = True
                    self._later.start()

    def ends(self, stage: str, *, done: bool) -> None:
        """A stage ended. done: without an error."""
        with self._guard:
            self._at_work.pop(stage, None)
            self._done += [stage] if done and stage not in self._done else []
            self._write()

    @contextmanager
    def work(self, name: str) -> Iterator[None]:
        """A context for work after the stages, such as the registration."""
        self.starts(name)
        try:
            yield
        finally:
            self.ends(name, done=False)

    def _write_later(self) -> None:
        with self._guard:
            self._later = None
            self._write()

    def _write(self) -> None:
        account = Account(os.getpid(), self._since, tuple(self._at_work.values()), tuple(self._done))
        with suppress(OSError):  # a full disk is the run's own trouble
            write_text(self._path, json.dumps(asdict(account)))


def read_account(root: Path) -> Account | None:
    """The account of the run that holds the project at `root` now; None: no run does."""
    return _read(root) if is_held(root / LOCK) else None


def _read(root: Path) -> Account:
    holder = Holder.read(root / LOCK)
    try:
        account = TypeAdapter(Account).validate_json((root / ACCOUNT).read_bytes())
    except (OSError, ValidationError):
        return Account(holder.pid, holder.started)
    # An account of an earlier run may be left; this one has not reached a stage yet.
    return account if account.pid == holder.pid else Account(holder.pid, holder.started)


def _clock(time_: str) -> str:
    """The local time of day; the date too if it is another day."""
    try:
        moment = datetime.fromisoformat(time_).astimezone()
    except ValueError:
        return time_
    today = datetime.now().astimezone().date()
    return moment.strftime("%H:%M:%S" if moment.date() == today else "%Y-%m-%d %H:%M:%S")
