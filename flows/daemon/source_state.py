"""The state of the dataset's source, by names, sizes and times, and the states that a run has seen."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from blake3 import blake3
from pydantic import TypeAdapter, ValidationError

from flows.project.environment import STATE
from thaw.foundation.files.atomic import write_bytes
from thaw.foundation.files.walking import files_below
from thaw.params.sections import Params
from thaw.params.values.places import BUILTIN_SOURCES

RUN = STATE / "source-run.json"
"""The file with the state that the last complete run began with."""
TRIGGERED = STATE / "source-triggered.json"
"""The file with the last state for which `thaw follow` started a run."""


@dataclass(frozen=True)
class SourceState:
    """Names, sizes and times of all files of a source, as one hash. No file is opened."""

    fingerprint: str
    files: int


@dataclass(frozen=True)
class Handled:
    """A state that needs no further run: a run has begun with it, or was started for it."""

    state: SourceState
    at: datetime
    """The time of the check; of two records the later record counts."""
    number: int = 0
    """The number of runs that `thaw follow` had started by then, including this run."""


_ADAPTER = TypeAdapter(Handled)


def look(root: Path, params: Params) -> SourceState | None:
    """The present state of the source; None if there is no source, or if the source is built in and made by the pipeline."""
    if BUILTIN_SOURCES in Path(params.dataset.source).parents:
        return None
    source = root / params.dataset.source
    if not source.exists():
        return None
    hashed, count = blake3(str(source).encode()), 0
    for path in sorted(file.path for file in files_below(source)) if source.is_dir() else [""]:
        hashed.update(f"\0{path}\0{_size_and_time(source / path)}".encode("utf-8", "surrogateescape"))
        count += 1
    return SourceState(hashed.hexdigest(), count)


def write_handled(path: Path, handled: Handled) -> None:
    """Write the record atomically."""
    write_bytes(path, _ADAPTER.dump_json(handled))


def read_handled(path: Path) -> Handled | None:
    """The record in the file; None if there is no readable record."""
    try:
        return _ADAPTER.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def now() -> datetime:
    """The present time in UTC, for `Handled.at`."""
    return datetime.now(UTC)


def _size_and_time(path: Path) -> str:
    try:
        state = path.stat()
    except (OSError, ValueError):
        return "-"
    return f"{state.st_size} {state.st_mtime_ns}"
