"""What the data set's source looks like from outside, and which of its states a run has seen."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from blake3 import blake3
from pydantic import TypeAdapter, ValidationError

from flows.project.environment import STATE
from thaw.foundation.files.atomic import write_bytes
from thaw.foundation.files.walking import files_below
from thaw.params.places import BUILTIN_SOURCES
from thaw.params.sections import Params

RUN = STATE / "source-run.json"
"""The state that the last complete run began with."""
TRIGGERED = STATE / "source-triggered.json"
"""The state for which `thaw follow` has started a run last."""


@dataclass(frozen=True)
class SourceState:
    """Names, sizes and times of all files of a source, as one hash. No file is opened."""

    fingerprint: str
    files: int


@dataclass(frozen=True)
class Handled:
    """A state that needs no (further) run: one has begun with it, or was started for it."""

    state: SourceState
    at: datetime
    """When it was looked at; of two records the later one counts."""
    number: int = 0
    """How many runs `thaw follow` had started by then, with this one."""


_ADAPTER = TypeAdapter(Handled)


def look(root: Path, params: Params) -> SourceState | None:
    """The present state of the source; None where there is none, or where it is built in, which the pipeline itself makes."""
    if Path(params.dataset.source).parent == BUILTIN_SOURCES:
        return None
    source = root / params.dataset.source
    if not source.is_dir():
        return None
    hashed, count = blake3(str(source).encode()), 0
    for path in sorted(found.path for found in files_below(source)):
        hashed.update(f"\0{path}\0{_seen(source / path)}".encode("utf-8", "surrogateescape"))
        count += 1
    return SourceState(hashed.hexdigest(), count)


def write_handled(path: Path, handled: Handled) -> None:
    """Record it, atomically."""
    write_bytes(path, _ADAPTER.dump_json(handled))


def read_handled(path: Path) -> Handled | None:
    """What was recorded; None where nothing was, or nothing that can be read."""
    try:
        return _ADAPTER.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def now() -> datetime:
    """For `Handled.at`."""
    return datetime.now(UTC)


def _seen(path: Path) -> str:
    try:
        state = path.stat()
    except (OSError, ValueError):
        return "-"
    return f"{state.st_size} {state.st_mtime_ns}"
