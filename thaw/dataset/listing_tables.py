"""Tables of listings, CSV or Parquet, as text."""

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from thaw.dataset.label_sets import SEPARATOR, join_labels
from thaw.foundation.errors import BadSource
from thaw.foundation.files.display_names import stripped

DELIMITERS = (",", ";", "\t")
_SAMPLE = 50


@dataclass(frozen=True)
class Row:
    """One row as text; `number` counts from 1 after the header; `wrong` is the reader's objection, if any."""

    number: int
    values: dict[str, str]
    wrong: str | None = None


@dataclass(frozen=True)
class CsvTable:
    """A CSV file; columns: in the form of `column_names`."""

    columns: list[str]
    lines: Sequence[Sequence[str]]

    def sample(self) -> dict[str, list[str]]:
        """The first values of each column with a name."""
        first = self.lines[:_SAMPLE]
        places = {name: place for place, name in enumerate(self.columns) if name}
        return {name: [line[place] for line in first if place < len(line)] for name, place in places.items()}

    def rows(self, roles: Mapping[str, str]) -> list[Row]:
        """The rows; roles: the name of each wanted value, and its column."""
        return list(self._rows(roles))

    def _rows(self, roles: Mapping[str, str]) -> Iterator[Row]:
        count = len(self.columns)
        for number, line in enumerate(self.lines, start=1):
            if line:
                wrong = f"has {len(line)} fields; the header has {count}" if len(line) != count else None
                values = dict.fromkeys(self.columns, "") | dict(zip(self.columns, line, strict=False))
                yield Row(number, {role: _clean(role, values[column]) for role, column in roles.items()}, wrong)


@dataclass(frozen=True)
class ParquetTable:
    """A Parquet file; columns: in the form of `column_names`. Only the wanted columns are read, because others may hold whole files."""

    columns: list[str]
    file: Path
    opened: pq.ParquetFile

    def sample(self) -> dict[str, list[str]]:
        """The first values of each column of text."""
        schema = self.opened.schema_arrow
        texts = [
            place
            for place, kind in enumerate(schema.types)
            if pa.types.is_string(kind) or pa.types.is_large_string(kind)
        ]
        if not texts:
            return {}
        batch = next(self.opened.iter_batches(_SAMPLE, columns=[schema.names[place] for place in texts]), None)
        if batch is None:
            return {}
        return {
            self.columns[place]: [as_text(value) for value in batch.column(number).to_pylist()]
            for number, place in enumerate(texts)
        }

    def rows(self, roles: Mapping[str, str]) -> list[Row]:
        """The rows; roles: the name of each wanted value, and its column."""
        names = [self.opened.schema_arrow.names[self.columns.index(column)] for column in roles.values()]
        try:
            table = self.opened.read(names)
        except (OSError, pa.ArrowException) as error:
            raise _unreadable(self.file, error) from error
        cells = {role: _cells(self.file, role, table.column(name)) for role, name in zip(roles, names, strict=True)}
        texts = [[_clean(role, as_text(value)) for value in values] for role, values in cells.items()]
        return [
            Row(number, dict(zip(roles, values, strict=True)))
            for number, values in enumerate(zip(*texts, strict=True), start=1)
        ]


def open_table(file: Path) -> CsvTable | ParquetTable:
    """Read the header of a Parquet file, or a whole CSV file: UTF-8, separated by commas, semicolons or tabs.

    Raises:
        BadSource: the file is neither.
    """
    with file.open("rb") as stream:
        is_parquet = stream.read(4) == b"PAR1"
    if not is_parquet:
        return _open_csv(file)
    try:
        opened = pq.ParquetFile(file)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(file, error) from error
    return ParquetTable(column_names(opened.schema_arrow.names), file, opened)


def _open_csv(file: Path) -> CsvTable:
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
    return CsvTable(column_names(lines[0] if lines else []), lines[1:])


def _unreadable(file: Path, error: Exception) -> BadSource:
    return BadSource(f"the listing `{file}` is not a readable Parquet file ({error})")


def _cells(file: Path, role: str, cells: pa.ChunkedArray) -> list[object]:
    """The cells of a column; lists of labels are joined to text."""
    values: list[object] = cells.to_pylist()
    if not any(isinstance(value, list) for value in values):
        return values
    if role != "labels":
        raise BadSource(f"the column {role} of the listing `{file}` holds lists; only labels may")
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


def _clean(role: str, value: str) -> str:
    """The value without spaces and invisible characters around it; a path may contain them."""
    return value if role == "path" else stripped(value)
