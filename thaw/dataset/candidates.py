"""The candidates of a source, before any file is opened."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Candidate:
    """A file that may be an example. path: relative to the source, POSIX. None: the source does not say.

    labels: in a listing of label sets, in the place of `label`; sorted, each once. slices: the value of each slice that is named; "": it is not stated.
    """

    path: str
    label: str | None = None
    split: str | None = None
    group: str | None = None
    labels: tuple[str, ...] | None = None
    slices: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...] | None:
        """All labels of the file, one or a set; None: it is unlabelled."""
        return self.labels if self.label is None else (self.label,)


@dataclass(frozen=True)
class Rejected:
    """A file that is no example; `reason` is the end of a sentence ("is empty")."""

    path: str
    reason: str


@dataclass(frozen=True)
class Source:
    """The files of a source, not yet opened, sorted by path; `notes` are sentences for the report.

    `warnings` are sentences, too: the source may mean something else than what was read.
    """

    candidates: tuple[Candidate, ...]
    rejected: tuple[Rejected, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def warning(self, *sentences: str) -> Source:
        """The source with more warnings."""
        return replace(self, warnings=(*self.warnings, *sentences))

    def noting(self, *sentences: str) -> Source:
        """The source with more notes."""
        return replace(self, notes=(*self.notes, *sentences))
