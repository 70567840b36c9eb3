"""Checks of one model alone: leakage, near-copies, suspect labels. One file, `checks.json`, lies with each version's report."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from thaw.foundation.files.records import read_record, write_record

if TYPE_CHECKING:
    from thaw.dataset.manifest import Example


@dataclass(frozen=True)
class Leakage:
    """The leakage of `learnt` training examples: `copies` of them are in val or test as well, and `groups` more share a group with an example there."""

    learnt: int
    copies: int
    groups: int


@dataclass(frozen=True)
class NearCopies:
    """The near-copies: of `compared` test examples, all or a sample, `copies` are near-copies of examples of the training or the validation."""

    compared: int
    copies: int

    @property
    def share(self) -> float:
        return self.copies / self.compared if self.compared else 0.0


@dataclass(frozen=True)
class Suspects:
    """The suspects: of `labels` of the training and the validation (with sets, all labels of each set), `suspects` look wrong."""

    labels: int
    suspects: int

    @property
    def share(self) -> float:
        return self.suspects / self.labels if self.labels else 0.0


@dataclass(frozen=True)
class Checks:
    """The content of `checks.json`; suspects is None for an older version, which did not measure them on sets of labels."""

    leakage: Leakage
    near_copies: NearCopies
    suspects: Suspects | None


_ADAPTER = TypeAdapter(Checks)


def count_leakage(learnt: "Sequence[Example]", held_out: "Sequence[Example]") -> Leakage:
    """Compare the training examples with all of val and test."""
    contents, groups = {row.digest for row in held_out}, {row.group for row in held_out} - {None}
    copies = [row.digest in contents for row in learnt]
    shared = [row.group in groups for row in learnt]
    both = zip(copies, shared, strict=True)
    return Leakage(len(learnt), sum(copies), sum(group and not copy for copy, group in both))


def write_checks(checks: Checks, path: Path) -> None:
    """Write `checks.json`, atomically."""
    write_record(_ADAPTER, checks, path)


def read_checks(path: Path) -> Checks:
    """Read the checks of `write_checks`.

    Raises:
        BadArtifact: the file is missing, damaged, or of another version.
    """
    return read_record(
        _ADAPTER,
        path,
        lambda _: f"{path} holds no checks of this version; run `thaw run --stage evaluate` to make it again",
    )
