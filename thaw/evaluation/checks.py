"""Checks of one model alone: leakage, near-copies, suspect labels. One file, `checks.json`, lies with each version's report."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from thaw.dataset.manifest import Example
from thaw.foundation.files.records import read_record, write_record


@dataclass(frozen=True)
class Leakage:
    """Of `learnt` images that were learnt from, how many are in val or test as well: `copies` by content, `groups` more by a group that they share."""

    learnt: int
    copies: int
    groups: int


@dataclass(frozen=True)
class NearCopies:
    """Of `compared` test images, all or as many as were drawn of them, `copies` are near-copies of images that were learnt from or chosen with."""

    compared: int
    copies: int

    @property
    def share(self) -> float:
        return self.copies / self.compared if self.compared else 0.0


@dataclass(frozen=True)
class Suspects:
    """Of `labels` (those of each set, where examples have sets) that were learnt from or chosen with, `suspects` look wrong."""

    labels: int
    suspects: int

    @property
    def share(self) -> float:
        return self.suspects / self.labels if self.labels else 0.0


@dataclass(frozen=True)
class Checks:
    """What `checks.json` holds; suspects None: a version of before did not measure them on sets of labels."""

    leakage: Leakage
    near_copies: NearCopies
    suspects: Suspects | None


_ADAPTER = TypeAdapter(Checks)


def count_leakage(learnt: Sequence[Example], held_out: Sequence[Example]) -> Leakage:
    """Compare what was learnt from with all of val and test."""
    contents, groups = {row.digest for row in held_out}, {row.group for row in held_out} - {None}
    copies = [row.digest in contents for row in learnt]
    shared = [row.group in groups for row in learnt]
    both = zip(copies, shared, strict=True)
    return Leakage(len(learnt), sum(copies), sum(group and not copy for copy, group in both))


def write_checks(checks: Checks, path: Path) -> None:
    """Write `checks.json`, atomically."""
    write_record(_ADAPTER, checks, path)


def read_checks(path: Path) -> Checks:
    """Read what `write_checks` wrote.

    Raises:
        BadArtifact: the file is missing, damaged, or of another version.
    """
    return read_record(
        _ADAPTER,
        path,
        lambda _: f"{path} holds no checks of this version; run `thaw run --stage evaluate` to make it again",
    )
