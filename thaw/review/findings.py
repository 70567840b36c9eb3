"""Findings for a person to look at, a row for each example of a finding, and the table that carries them and the answers."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Literal

from thaw.dataset.corrections import LEAVE_OUT, Correction, parse_digest, parse_label
from thaw.dataset.manifest import Example
from thaw.foundation.errors import BadTable
from thaw.foundation.files.csv_tables import read_rows, write_rows
from thaw.foundation.files.display_names import alike
from thaw.targets.target import Target

Kind = Literal["suspect", "duplicate", "unlabelled"]
KINDS: tuple[Kind, ...] = ("suspect", "duplicate", "unlabelled")
_SHOWN = 5


@dataclass(frozen=True)
class Finding:
    """One example of a finding; a field that its kind does not have is empty.

    rank: of the finding in its kind, from 1; both examples of a pair have the same rank. digest: hex. suggested: a class, or `LEAVE_OUT`. score: of a suspect
    the probability of its label (low is bad), of a pair its similarity, of an unlabelled example the head's uncertainty, each from 0 to 1. probability: of the
    suggested class. other: the other example of a pair. at_s: where a class is most probable in a recording, in seconds.
    """

    kind: Kind
    rank: int
    digest: str
    path: str
    split: str
    label: str
    suggested: str
    probability: float | None
    score: float
    other_path: str = ""
    other_split: str = ""
    other_label: str = ""
    at_s: float | None = None

    @classmethod
    def of(
        cls,
        example: Example,
        *,
        kind: Kind,
        rank: int,
        suggested: str,
        score: float,
        probability: float | None = None,
        other: Example | None = None,
        at_s: float | None = None,
    ) -> "Finding":
        """A finding about an example; `other` is the other example of a pair."""
        there = ("", "", "") if other is None else (other.path, other.split, other.written)
        return cls(
            kind,
            rank,
            example.digest.hex(),
            example.path,
            example.split,
            example.written,
            suggested,
            probability,
            score,
            *there,
            at_s,
        )

    def labels_to_change(self, target: Target) -> int:
        """How many labels the suggestion changes: adds, takes away, or puts in the place of another."""
        given, suggested = (set(target.parsed(text)) for text in (self.label, self.suggested))
        return max(1, len(given - suggested), len(suggested - given))

    @property
    def disagrees(self) -> bool:
        """Whether the finding is of a pair with two different labels."""
        return self.kind == "duplicate" and self.label != self.other_label


COLUMNS = (*(field.name for field in fields(Finding)), "corrected")
"""The columns of the table. `corrected` is empty; a person writes the right class there, or `LEAVE_OUT`."""


def write_findings(findings: Sequence[Finding], path: Path) -> None:
    """Write `review.csv`, atomically."""
    write_rows(path, COLUMNS, [(*map(_cell, astuple(finding)), "") for finding in findings])


def _cell(value: object) -> object:
    return "" if value is None else f"{value:.4f}" if isinstance(value, float) else value


def read_decisions(
    file: Path, known: Mapping[bytes, str], class_names: Sequence[str], new: Sequence[str], target: Target
) -> list[Correction]:
    """A person's decisions in a table with the columns `digest` and `corrected`: the rows whose `corrected` is not empty.

    Args:
        file: `review.csv`, saved by the page or by a spreadsheet program.
        known: the path of each example that may be decided on, by digest.
        class_names: the existing classes.
        new: further classes that are allowed.
        target: what a label is; a set is written as `ant|bee`.

    Raises:
        BadTable: the file is no such table, names an unknown example or class, or has two decisions on an example.
    """
    decided: dict[bytes, Correction] = {}
    classes = {*class_names, *new}
    by_stripped = {name.strip(): name for name in classes}
    unknown_digests: list[str] = []
    used: set[str] = set()
    for row in read_rows(file, ("digest", "corrected")):
        text = row["corrected"].strip()
        if not text:
            continue
        digest = parse_digest(row["digest"].strip(), file)
        names = None
        if parse_label(text) is not None:
            names = [by_stripped.get(name, name) for name in target.parsed(text)]
        if digest not in known:
            unknown_digests.append(row.get("path") or row["digest"])
        used |= set(names or ())
        correction = Correction(digest, None if names is None else target.written(names), known.get(digest, ""))
        if decided.setdefault(digest, correction) != correction:
            earlier, later = (decision.label or LEAVE_OUT for decision in (decided[digest], correction))
            raise BadTable(f"{file} has two decisions on {correction.path}: {earlier} and {later}; keep one of them")
    _refuse_unknown_examples(file, unknown_digests)
    _refuse_unknown_classes(file, sorted(used - classes), class_names)
    _refuse_alike(file, class_names, sorted(used & set(new)))
    return list(decided.values())


def _refuse_unknown_examples(file: Path, names: Sequence[str]) -> None:
    if names:
        raise BadTable(
            f"{file} holds {len(names)} examples that the manifest does not hold ({_few(names)}); "
            "the table is of another data set, or the examples are gone: run `thaw review` again"
        )


def _refuse_unknown_classes(file: Path, names: Sequence[str], class_names: Sequence[str]) -> None:
    if names:
        options = " ".join(f"--new-class '{name}'" for name in names[:_SHOWN])
        raise BadTable(
            f"{file} names unknown classes: {_few(names)}; the classes are {_few(class_names)}. Mend the names, or add {options}"
        )


def _refuse_alike(file: Path, class_names: Sequence[str], new: Sequence[str]) -> None:
    for name in new:
        for there in class_names:
            if name != there and alike(name, there):
                raise BadTable(
                    f"{file}: the new class `{name}` differs from `{there}` only by case, spaces or Unicode form; use `{there}`"
                )


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
