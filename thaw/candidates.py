"""What a source offers before any of it is opened."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Candidate:
    """A file that may be an example: `path` is relative to the source, POSIX; None is "not said"."""

    path: str
    label: str | None = None
    split: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class Rejected:
    """A file that is no example; `reason` continues a sentence ("is empty")."""

    path: str
    reason: str


@dataclass(frozen=True)
class Source:
    """What a source holds, not yet opened. Sorted by path; `notes` are plain sentences for the report."""

    candidates: tuple[Candidate, ...]
    rejected: tuple[Rejected, ...]
    notes: tuple[str, ...] = ()
