"""What a source offers before any of it is opened."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Candidate:
    """A file that may be an example: `path` is relative to the source, POSIX; None is "not said".

    `labels`: in a listing of label sets, what stands in the place of `label`; sorted, each once.
    """

    path: str
    label: str | None = None
    split: str | None = None
    group: str | None = None
    labels: tuple[str, ...] | None = None

    @property
    def names(self) -> tuple[str, ...] | None:
        """Every label that it has, whether one or a set; None: it is unlabelled."""
        return self.labels if self.label is None else (self.label,)


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
