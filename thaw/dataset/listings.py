"""Listings: a CSV or Parquet table of path and label (or labels, where a file has several), and optionally split and group."""

import csv
import io
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

import pyarrow as pa
import pyarrow.parquet as pq

from thaw.dataset.candidates import Candidate, Rejected, Source
from thaw.dataset.label_sets import SEPARATOR, join_labels, split_labels
from thaw.dataset.splits import SPLIT_NAMES
from thaw.foundation.errors import BadSource
from thaw.foundation.files.walking import why_not_a_file

COLUMNS = ("path", "label", "labels", "split", "group")
DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True)
class _Row:
    """One row as text; `number` counts from 1 after the header; `wrong` is what the reader found."""

    number: int
    values: dict[str, str]
    wrong: str | None = None


def read_listing(root: Path, name: str) -> Source:
    """Read a listing: the candidates that it names, and the rows that cannot be used, with the reason.

    CSV is UTF-8 (with or without a byte-order mark, any line ends), separated by commas, semicolons or tabs.
    Paths are relative to `root`; an empty label, split or group is "not said". Rows that say the same twice
    count once.

    A column `labels` in the place of `label` holds sets: in CSV the names with `|` between them, in Parquet that or a list of strings. There an
    empty cell (null) is "not said" as well; a file that shows none of the classes has `|` alone, or an empty list.

    Args:
        root: the source's folder.
        name: the listing's path relative to `root`.

    Raises:
        BadSource: the listing lies outside the source, is missing, unreadable, or lacks the columns path and
            label (or labels).
    """
    file = root / name
    if why := refuse_path(name) or why_not_a_file(file):
        raise BadSource(f"the listing `{file}` {why}; `dataset.listing` is a path inside `dataset.source`")
    columns, rows = _read_parquet(file) if _is_parquet(file) else _read_csv(file)
    if twice := sorted({column for column in columns if columns.count(column) > 1}):
        raise BadSource(f"the listing `{file}` has the column {' and '.join(twice)} more than once")
    labelling = [column for column in ("label", "labels") if column in columns]
    if missing := [column for column in ("path", *(labelling or ("label",))) if column not in columns]:
        raise BadSource(
            f"the listing `{file}` has no column {' or '.join(missing)}, only {', '.join(columns) or 'none'}"
        )
    if len(labelling) == 2:
        raise BadSource(
            f"the listing `{file}` has the columns label and labels; keep one: label for one a file, labels for several"
        )
    unused = [column for column in columns if column not in COLUMNS]
    notes = [f"The listing's columns {', '.join(unused)} are not used."] if unused else []
    return _collect(root, name, rows, notes)


def _collect(root: Path, name: str, rows: Iterable[_Row], notes: list[str]) -> Source:
    """Sort rows into candidates and rejected ones; a path with contradicting rows is rejected once."""
    said: dict[str, set[Candidate]] = defaultdict(set)
    rejected: list[Rejected] = []
    repeated = 0
    for row in rows:
        one = _candidate(root, name, row)
        if isinstance(one, Rejected):
            rejected.append(one)
            continue
        repeated += one in said[one.path]
        said[one.path].add(one)
    rejected += [Rejected(path, _contradiction(ones)) for path, ones in said.items() if len(ones) > 1]
    candidates = [one for ones in said.values() if len(ones) == 1 for one in ones]
    if repeated:
        notes.append(f"Rows of the listing that repeat another: {repeated}. Each file counts once.")
    unique = sorted(set(rejected), key=lambda one: (one.path, one.reason))
    return Source(tuple(sorted(candidates, key=lambda one: one.path)), tuple(unique), tuple(notes))


def _candidate(root: Path, name: str, row: _Row) -> Candidate | Rejected:
    written = row.values["path"]
    if row.wrong or not written:
        return Rejected(written or name, f"(row {row.number} of the listing) {row.wrong or 'has no path'}")
    path = str(PurePosixPath(written))
    if "\\" in written and why_not_a_file(root / path):  # written on Windows
        path = PureWindowsPath(written).as_posix()
    if why := refuse_path(written) or refuse_path(path) or why_not_a_file(root / path):
        return Rejected(written, f"is in the listing, but {why}")
    split = row.values.get("split", "")
    if split and split.casefold() not in SPLIT_NAMES:
        return Rejected(written, f"has the split `{split}` in the listing; allowed are {', '.join(SPLIT_NAMES)}")
    sets = row.values.get("labels")
    return Candidate(
        path,
        row.values.get("label") or None,
        SPLIT_NAMES.get(split.casefold()),
        row.values.get("group") or None,
        split_labels(sets) if sets else None,
    )


def refuse_path(path: str) -> str | None:
    """Why a listing may not name a path, as the rest of a sentence, before the disk is asked; None: it may."""
    if PurePosixPath(path).is_absolute() or PureWindowsPath(path).drive:
        return "is an absolute path; write it relative to the source"
    if ".." in PurePosixPath(path).parts or ".." in PureWindowsPath(path).parts:
        return "leads out of the source by `..`"
    return None


def _contradiction(ones: set[Candidate]) -> str:
    for column in ("label", "split", "group"):
        values = sorted({str(getattr(one, column) or "none") for one in ones})
        if len(values) > 1:
            return f"is in the listing with more than one {column}: {', '.join(values)}"
    sets = sorted({"none" if one.labels is None else join_labels(one.labels) for one in ones})
    if len(sets) > 1:
        return f"is in the listing with more than one set of labels: {', '.join(sets)}"
    raise AssertionError("rows that agree in everything are one candidate")


def _is_parquet(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(4) == b"PAR1"


def _read_csv(file: Path) -> tuple[list[str], list[_Row]]:
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadSource(f"the listing `{file}` is not UTF-8 text (byte {error.start}); save it as CSV UTF-8") from error
    header = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=header.count)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise BadSource(f"the listing `{file}` is not valid CSV: {error}") from error
    columns = column_names(lines[0] if lines else [])
    return columns, list(_csv_rows(columns, lines[1:]))


def _csv_rows(columns: list[str], lines: list[list[str]]) -> Iterator[_Row]:
    for number, line in enumerate(lines, start=1):
        if line:
            wrong = f"has {len(line)} fields; the header has {len(columns)}" if len(line) != len(columns) else None
            values = dict.fromkeys(columns, "") | dict(zip(columns, line, strict=False))
            yield _Row(number, _strip(values), wrong)


def _read_parquet(file: Path) -> tuple[list[str], list[_Row]]:
    try:
        table = pq.ParquetFile(file).read()
    except (OSError, pa.ArrowException) as error:
        raise BadSource(f"the listing `{file}` is not a readable Parquet file ({error})") from error
    columns = column_names(table.column_names)
    wanted = [(column, table.column(i)) for i, column in enumerate(columns) if column in COLUMNS]
    texts = [[as_text(value) for value in _cells(file, column, cells)] for column, cells in wanted]
    names = [column for column, _ in wanted]
    rows = [
        _Row(i, _strip(dict(zip(names, values, strict=True))))
        for i, values in enumerate(zip(*texts, strict=True), start=1)
    ]
    return columns, rows


def _cells(file: Path, column: str, cells: pa.ChunkedArray) -> list[object]:
    """The cells of a column; sets of labels that are lists as text."""
    values: list[object] = cells.to_pylist()
    if not any(isinstance(value, list) for value in values):
        return values
    if column != "labels":
        raise BadSource(f"the column {column} of the listing `{file}` holds lists; only labels may")
    sets = [[as_text(name) for name in value] if isinstance(value, list) else None for value in values]
    if odd := sorted({name for names in sets for name in names or () if SEPARATOR in name}):
        raise BadSource(
            f"the listing `{file}` has labels with `{SEPARATOR}` in them, which separates labels: {', '.join(odd)}; rename them"
        )
    return [None if names is None else join_labels(names) for names in sets]


def as_text(value: object) -> str:
    """A cell as text: nothing for null and NaN, and no `.0` on labels that pandas has turned to floats."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def column_names(names: list[str]) -> list[str]:
    """Names of columns as they are compared."""
    return [name.strip().casefold() for name in names]


def _strip(values: dict[str, str]) -> dict[str, str]:
    """Drop spaces around all but the path, in which they may be meant."""
    return {column: value if column == "path" else value.strip() for column, value in values.items()}
