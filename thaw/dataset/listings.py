"""Listings: a CSV or Parquet table of path and label (or labels, for sets), and optionally split and group."""

import csv
import io
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

import pyarrow as pa
import pyarrow.parquet as pq

from thaw.dataset.candidates import Candidate, Rejected, Source
from thaw.dataset.label_sets import SEPARATOR, join_labels, split_labels
from thaw.dataset.split_names import SPLIT_NAMES, splits_named
from thaw.foundation.errors import BadSource
from thaw.foundation.files.walking import why_not_a_file

COLUMNS = ("path", "label", "labels", "split", "group")
DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True)
class _Row:
    """One row as text; `number` counts from 1 after the header; `wrong` is the reader's objection, if any."""

    number: int
    values: dict[str, str]
    wrong: str | None = None


def read_listing(root: Path, name: str) -> Source:
    """Read a listing: its candidates, and the rows that cannot be used, with their reasons.

    CSV is UTF-8 (with or without a byte-order mark, with any line ends), separated by commas, semicolons or tabs. Paths are relative to `root`. An empty
    label, split or group means that the listing does not say. Equal rows count once.

    A column `labels` in the place of `label` holds sets: in CSV the names with `|` between them, in Parquet such a text or a list of strings. An empty cell
    (null) means that the listing does not say; a file that shows none of the classes has `|` alone, or an empty list.

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
            f"the listing `{file}` has the columns label and labels; keep one of them: label for one label a file, labels for sets"
        )
    unused = [column for column in columns if column not in COLUMNS]
    notes = [f"The listing's columns {', '.join(unused)} are not used."] if unused else []
    return _collect(root, name, rows, notes)


def _collect(root: Path, name: str, rows: Sequence[_Row], notes: list[str]) -> Source:
    """Separate the rows into candidates and rejected files; a path with contradicting rows is rejected once."""
    by_path: dict[str, set[Candidate]] = defaultdict(set)
    rejected: list[Rejected] = []
    repeated = 0
    splits = splits_named({row.values.get("split", "") for row in rows})
    for row in rows:
        file = _candidate(root, name, row, splits)
        if isinstance(file, Rejected):
            rejected.append(file)
            continue
        repeated += file in by_path[file.path]
        by_path[file.path].add(file)
    rejected += [Rejected(path, _contradiction(rivals)) for path, rivals in by_path.items() if len(rivals) > 1]
    candidates = [candidate for rivals in by_path.values() if len(rivals) == 1 for candidate in rivals]
    if repeated:
        notes.append(f"Rows of the listing that repeat another: {repeated}. Each file counts once.")
    unique = sorted(set(rejected), key=lambda file: (file.path, file.reason))
    return Source(tuple(sorted(candidates, key=lambda candidate: candidate.path)), tuple(unique), tuple(notes))


def _candidate(root: Path, name: str, row: _Row, splits: Mapping[str, str]) -> Candidate | Rejected:
    written = row.values["path"]
    if row.wrong or not written:
        return Rejected(written or name, f"(row {row.number} of the listing) {row.wrong or 'has no path'}")
    path = str(PurePosixPath(written))
    if "\\" in written and why_not_a_file(root / path):  # written on Windows
        path = PureWindowsPath(written).as_posix()
    if why := refuse_path(written) or refuse_path(path) or why_not_a_file(root / path):
        return Rejected(written, f"is in the listing, but {why}")
    split = row.values.get("split", "")
    if split and split not in splits:
        return Rejected(written, f"has the split `{split}` in the listing; allowed are {', '.join(SPLIT_NAMES)}")
    sets = row.values.get("labels")
    return Candidate(
        path,
        row.values.get("label") or None,
        splits.get(split),
        row.values.get("group") or None,
        split_labels(sets) if sets else None,
    )


def refuse_path(path: str) -> str | None:
    """The reason why a listing may not name a path, as the end of a sentence, before a look at the disk; None: it may."""
    if PurePosixPath(path).is_absolute() or PureWindowsPath(path).drive:
        return "is an absolute path; write it relative to the source"
    if ".." in PurePosixPath(path).parts or ".." in PureWindowsPath(path).parts:
        return "leads out of the source by `..`"
    return None


def _contradiction(candidates: set[Candidate]) -> str:
    for column in ("label", "split", "group"):
        values = sorted({str(getattr(candidate, column) or "none") for candidate in candidates})
        if len(values) > 1:
            return f"is in the listing with more than one {column}: {', '.join(values)}"
    sets = sorted({"none" if candidate.labels is None else join_labels(candidate.labels) for candidate in candidates})
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
    """The cells of a column; lists of labels are joined to text."""
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
    """A cell as text: empty for null and NaN, and without the `.0` of labels that pandas has turned to floats."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def column_names(names: list[str]) -> list[str]:
    """The names of columns in the form in which they are compared."""
    return [name.strip().casefold() for name in names]


def _strip(values: dict[str, str]) -> dict[str, str]:
    """Remove spaces around every value except the path, which may contain them."""
    return {column: value if column == "path" else value.strip() for column, value in values.items()}
