"""Corrections: labels that a person gave to examples, by content. They replace the source's labels at any path of the file."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from thaw.dataset.label_sets import split_labels
from thaw.foundation.errors import BadTable
from thaw.foundation.files.atomic import DIGEST_SIZE
from thaw.foundation.files.csv_tables import read_rows, write_rows

if TYPE_CHECKING:  # a manifest is Parquet, and its library takes a tenth of a second to load
    from thaw.dataset.manifest import Example

CORRECTIONS = Path("data/corrections.csv")
"""The file of corrections, in Git from the beginning, because a stage of DVC cannot depend on a file that may be missing."""
LEAVE_OUT = "(remove)"
"""The text in the place of a label for an example that is to be left out."""
_HEADING = ("digest", "label", "path")


@dataclass(frozen=True)
class Correction:
    """A person's label for an example. digest: 32 bytes. label: None: leave the example out. path: the example's path at that time, for people only."""

    digest: bytes
    label: str | None
    path: str


Corrections = Mapping[bytes, Correction]
"""Corrections by digest."""


@dataclass(frozen=True)
class Change:
    """The effect of a correction on one row. before: the source's label; None: unlabelled. after: the person's label; None: the row is left out."""

    path: str
    before: str | None
    after: str | None


def correct(example: "Example", corrections: Corrections) -> "Example | None":
    """The example with its corrected label, if there is a correction; None: it is to be left out."""
    correction = corrections.get(example.digest)
    if correction is None:
        return example
    return None if correction.label is None else replace(example, label=correction.label)


def correct_set(example: "Example", corrections: Corrections) -> "Example | None":
    """The counterpart of `correct` for sets of labels: a correction names all labels, as `ant|bee`; `|` alone is the empty set."""
    correction = corrections.get(example.digest)
    if correction is None:
        return example
    return None if correction.label is None else replace(example, labels=split_labels(correction.label))


def merge(corrections: Corrections, more: Iterable[Correction]) -> Corrections:
    """The corrections of both; of two for the same example the later one is kept."""
    return {**corrections, **{correction.digest: correction for correction in more}}


def read_corrections(path: Path) -> Corrections:
    """Read corrections of `write_corrections` or of a person; a missing file means none.

    Raises:
        BadTable: the file is no CSV with the columns digest, label and path, or a row has no digest, no label, or contradicts another.
    """
    if not path.exists():
        return {}
    read: dict[bytes, Correction] = {}
    for row in read_rows(path, _HEADING):
        digest = parse_digest(row["digest"], path)
        if not row["label"].strip():
            raise BadTable(
                f"{path}: {row['path'] or row['digest']} has no label; write one, or {LEAVE_OUT} to leave it out"
            )
        correction = Correction(digest, parse_label(row["label"]), row["path"])
        if digest in read and read[digest].label != correction.label:
            raise BadTable(f"{path} has two labels for {row['path'] or row['digest']}; keep one of the rows")
        read[digest] = correction
    return read


def write_corrections(corrections: Corrections, path: Path) -> None:
    """Write the corrections as CSV, atomically, sorted by digest; the same corrections give the same bytes."""
    rows = [
        (digest.hex(), corrections[digest].label or LEAVE_OUT, corrections[digest].path)
        for digest in sorted(corrections)
    ]
    write_rows(path, _HEADING, rows)


def parse_digest(text: str, path: Path) -> bytes:
    """32 bytes from 64 hexadecimal digits; the message names the file `path`.

    Raises:
        BadTable: the text is no digest.
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
    """The label in a cell; None for `LEAVE_OUT`."""
    return None if text.strip().casefold() == LEAVE_OUT else text
