"""Corrections: labels that a person gave to images, by content. They hold whatever the source says, wherever the file lies."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from thaw.dataset.label_sets import split_labels
from thaw.dataset.manifest import Example
from thaw.foundation.errors import BadTable
from thaw.foundation.files.atomic import DIGEST_SIZE
from thaw.foundation.files.csv_tables import read_rows, write_rows

CORRECTIONS = Path("data/corrections.csv")
"""Kept in Git, and there from the beginning, because a stage of DVC cannot depend on a file that may be missing."""
LEAVE_OUT = "(remove)"
"""What stands in the place of a label where an image is to be left out."""
_HEADING = ("digest", "label", "path")


@dataclass(frozen=True)
class Correction:
    """What a person said of an image. `digest`: 32 bytes. `label` None: leave it out. `path` is for people alone: where it lay then."""

    digest: bytes
    label: str | None
    path: str


Corrections = Mapping[bytes, Correction]
"""Corrections by digest."""


@dataclass(frozen=True)
class Change:
    """What a correction does to one row: `before` is the source's label (None: it has none), `after` the person's (None: it is left out)."""

    path: str
    before: str | None
    after: str | None


def correct(example: Example, corrections: Corrections) -> Example | None:
    """The example with the label that a person gave it, if one did; None: it is to be left out."""
    found = corrections.get(example.digest)
    if found is None:
        return example
    return None if found.label is None else replace(example, label=found.label)


def correct_set(example: Example, corrections: Corrections) -> Example | None:
    """The same where examples have sets of labels: a correction names all of them, as `ant|bee`; `|` alone: it shows none."""
    found = corrections.get(example.digest)
    if found is None:
        return example
    return None if found.label is None else replace(example, labels=split_labels(found.label))


def merge(corrections: Corrections, more: Iterable[Correction]) -> Corrections:
    """Both; of two for the same image, the later one holds."""
    return {**corrections, **{one.digest: one for one in more}}


def read_corrections(path: Path) -> Corrections:
    """Read what `write_corrections` wrote, or a person edited. A file that is missing holds none.

    Raises:
        BadTable: it is no CSV of the columns digest, label and path; a row has no digest, no label, or contradicts another.
    """
    if not path.exists():
        return {}
    found: dict[bytes, Correction] = {}
    for row in read_rows(path, _HEADING):
        digest = parse_digest(row["digest"], path)
        if not row["label"].strip():
            raise BadTable(
                f"{path}: {row['path'] or row['digest']} has no label; write one, or {LEAVE_OUT} to leave it out"
            )
        one = Correction(digest, parse_label(row["label"]), row["path"])
        if digest in found and found[digest].label != one.label:
            raise BadTable(f"{path} says two things of {row['path'] or row['digest']}; keep one of the rows")
        found[digest] = one
    return found


def write_corrections(corrections: Corrections, path: Path) -> None:
    """Write the corrections as CSV, atomically, sorted by digest: the same ones give the same bytes."""
    rows = [
        (digest.hex(), corrections[digest].label or LEAVE_OUT, corrections[digest].path)
        for digest in sorted(corrections)
    ]
    write_rows(path, _HEADING, rows)


def parse_digest(text: str, path: Path) -> bytes:
    """32 bytes from 64 hexadecimal digits; `path` is the file that they stand in.

    Raises:
        BadTable: it is something else.
    """
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    if len(digest) != DIGEST_SIZE:
        raise BadTable(
            f"{path}: `{text}` is no digest ({2 * DIGEST_SIZE} hexadecimal digits); keep that column as it was"
        )
    return digest


def parse_label(text: str) -> str | None:
    """A label as a table has it; None for `LEAVE_OUT`."""
    return None if text.strip().casefold() == LEAVE_OUT else text
