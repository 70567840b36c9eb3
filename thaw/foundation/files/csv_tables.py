"""CSV tables that people have edited; the reader accepts the variants that their programs write."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from thaw.foundation.errors import BadTable
from thaw.foundation.files.atomic import write_text

_DELIMITERS = (",", ";", "\t")


def read_rows(file: Path, needed: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a CSV file with a heading, with cells as unchanged text; empty lines are skipped.

    The file is UTF-8 (with or without a byte-order mark, with any line ends), separated by commas, semicolons or tabs.

    Raises:
        BadTable: the file cannot be read, is not UTF-8 or not CSV, lacks a column of `needed`, or a row has another number of fields than the heading.
    """
    header, *lines = _lines(file) or [[]]
    columns = [name.strip().casefold() for name in header]
    if missing := [name for name in needed if name not in columns]:
        have = ", ".join(filter(None, columns)) or "none"
        raise BadTable(
            f"{file} has no column {' and no column '.join(missing)}, only {have}; keep the heading as it was"
        )
    rows = []
    for number, line in enumerate(lines, start=1):
        if not any(cell.strip() for cell in line):
            continue
        if len(line) != len(columns):
            raise BadTable(
                f"{file}: row {number} has {len(line)} fields, and the heading has {len(columns)}; mend that row"
            )
        rows.append(dict(zip(columns, line, strict=True)))
    return rows


def _lines(file: Path) -> list[list[str]]:
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadTable(f"{file} is not UTF-8 text (byte {error.start}); save it as CSV UTF-8") from error
    except OSError as error:
        raise BadTable(f"{file} cannot be read ({error.strerror}); name a CSV file") from error
    delimiter = max(_DELIMITERS, key=text.split("\n", 1)[0].count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise BadTable(f"{file} is not valid CSV: {error}; save it as CSV UTF-8") from error


def write_rows(path: Path, heading: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a CSV file with a heading, atomically, as UTF-8 with plain line ends."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(heading)
    table.writerows(rows)
    write_text(path, text.getvalue())
