"""Tables of listings as text: CSV, JSON lines or Parquet."""

import csv
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, count, islice
from pathlib import Path
from typing import BinaryIO, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from thaw.dataset.label_sets import SEPARATOR, join_labels
from thaw.foundation.errors import BadSource
from thaw.foundation.files.display_names import stripped
from thaw.foundation.files.encodings import decoding

csv.field_size_limit(
    2**31 - 1
)  # Python's own limit refuses the whole table for one long text; a kind has limits of its own

DELIMITERS = (",", ";", "\t")
JSON_LINES = (".jsonl", ".ndjson")
_SAMPLE = 50
_HALF = re.compile(r"\\ud[89a-f]", re.IGNORECASE)
_HALVES = "holds half of a letter, a surrogate such as \\ud83d without its other half"
_ROWS = 256
_BUFFER = 2**18


@dataclass(frozen=True)
class Row:
    """One row as text; `number` counts from 1 after the header; `wrong` is the reader's objection, if any."""

    number: int
    values: dict[str, str]
    wrong: str | None = None


@dataclass(frozen=True)
class Broken:
    """A line that is no row; `reason` is the end of a sentence."""

    reason: str


@dataclass(frozen=True)
class TableFile:
    """A file with a table. name: for messages; its ending tells JSON lines from CSV. open: opens the file's bytes anew."""

    name: str
    open: Callable[[], BinaryIO]

    @property
    def is_json_lines(self) -> bool:
        """Whether its name is that of JSON lines."""
        return self.name.lower().endswith(JSON_LINES)


@dataclass(frozen=True)
class TextTable:
    """A CSV file, or JSON lines. columns: in the form of `column_names`. lines: reads the fields of each line anew, or the reason why it has none.

    In memory is one line at a time.
    """

    columns: list[str]
    lines: Callable[[], Iterator[Sequence[str] | Broken]]

    def sample(self) -> dict[str, list[str]]:
        """The first values of each column with a name."""
        first = [line for line in islice(self.lines(), _SAMPLE) if not isinstance(line, Broken)]
        places = {name: place for place, name in enumerate(self.columns) if name}
        return {name: [line[place] for line in first if place < len(line)] for name, place in places.items()}

    def rows(self, roles: Mapping[str, str]) -> Iterator[Row]:
        """The rows; roles: the name of each wanted value, and its column.

        Raises:
            BadSource: a quote is never closed, or the text is of another encoding.
        """
        places = {role: self.columns.index(column) for role, column in roles.items()}
        width = len(self.columns)
        for number, line in enumerate(self.lines(), start=1):
            if isinstance(line, Broken):
                yield Row(number, dict.fromkeys(roles, ""), line.reason)
            elif line:
                wrong = f"has {len(line)} fields; the header has {width}" if len(line) != width else None
                values = {
                    role: _clean(role, line[place]) if place < len(line) else "" for role, place in places.items()
                }
                yield Row(number, values, wrong)


@dataclass(frozen=True)
class ParquetTable:
    """A Parquet file; columns: in the form of `column_names`. Only the wanted columns are read, because others may hold whole files.

    In memory are some rows at a time.
    """

    columns: list[str]
    file: TableFile
    schema: pa.Schema

    def sample(self) -> dict[str, list[str]]:
        """The first values of each column of text."""
        names = [
            field.name
            for field in self.schema
            if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
        ]
        batch = next(self._batches(names, _SAMPLE), None) if names else None
        if batch is None:
            return {}
        return {
            self.columns[self.schema.names.index(name)]: [as_text(value) for value in batch.column(name).to_pylist()]
            for name in names
        }

    def rows(self, roles: Mapping[str, str]) -> Iterator[Row]:
        """The rows; roles: the name of each wanted value, and its column.

        Raises:
            BadSource: the file is damaged, or a column holds lists where only texts may stand.
        """
        names = [self.schema.names[self.columns.index(column)] for column in roles.values()]
        numbers = count(1)
        for batch in self._batches(names, _ROWS):
            cells = [_cells(self.file.name, role, batch.column(name)) for role, name in zip(roles, names, strict=True)]
            texts = [
                [_clean(role, as_text(value)) for value in values] for role, values in zip(roles, cells, strict=True)
            ]
            for values in zip(*texts, strict=True):
                yield Row(next(numbers), dict(zip(roles, values, strict=True)))

    def _batches(self, names: list[str], rows: int) -> Iterator[pa.RecordBatch]:
        # By these settings Arrow does not read a whole column of a row group at once.
        with (
            self.file.open() as stream,
            _explained(self.file.name),
            pq.ParquetFile(stream, buffer_size=_BUFFER, pre_buffer=False) as opened,
        ):
            yield from opened.iter_batches(rows, columns=names)


Table = TextTable | ParquetTable


def file_at(path: Path) -> TableFile:
    """A file of this machine."""
    return TableFile(str(path), lambda: path.open("rb"))


def open_table(file: Path | TableFile, encoding: str | None = None) -> Table:
    """Read the columns of a Parquet file, of JSON lines (by the ending; all lines are read for that) or of CSV: separated by commas, semicolons or tabs.

    encoding: of the text; None: UTF-8.

    Raises:
        BadSource: the file is none of these, or of another encoding.
    """
    table = file_at(file) if isinstance(file, Path) else file
    with table.open() as stream:
        if stream.read(4) != b"PAR1":
            return _json_lines(table, encoding) if table.is_json_lines else _csv(table, encoding)
        stream.seek(0)
        with _explained(table.name):
            schema = pq.read_schema(stream)
    return ParquetTable(column_names(schema.names), table, schema)


@contextmanager
def _text(file: TableFile, encoding: str | None, newline: str) -> Iterator[TextIO]:
    with file.open() as stream:
        try:
            with decoding(stream, encoding, newline=newline) as text:
                yield text
        except UnicodeError as error:
            raise BadSource(f"the listing `{file.name}` {error}") from error


def _csv(file: TableFile, encoding: str | None) -> TextTable:
    first = next(_csv_lines(file, encoding), [])
    if isinstance(first, Broken):
        raise BadSource(f"the header of the listing `{file.name}` {first.reason}")
    return TextTable(column_names(list(first)), lambda: islice(_csv_lines(file, encoding), 1, None))


def _csv_lines(file: TableFile, encoding: str | None) -> Iterator[list[str] | Broken]:
    """The header, and the lines below it."""
    with _text(file, encoding, "") as text:
        header = text.readline()
        delimiter = max(DELIMITERS, key=header.count)
        reader = csv.reader(chain([header], text), delimiter=delimiter, strict=True)
        while True:
            start = reader.line_num + 1
            try:
                yield next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                if "unexpected end of data" in str(error):
                    raise BadSource(
                        f"the listing `{file.name}` is not valid CSV: the quote that is opened in line {start} is never closed; "
                        'write "" for a quote inside a field'
                    ) from error
                where = f"line {start}" if reader.line_num == start else f"lines {start} to {reader.line_num}"
                yield Broken(f'has broken quotes ({where}: {error}); write "" for a quote inside a field')


def _json_lines(file: TableFile, encoding: str | None) -> TextTable:
    """The columns are the keys of all lines, in their order."""
    keys = list(dict.fromkeys(key for line in _objects(file, encoding) if isinstance(line, dict) for key in line))
    return TextTable(column_names(keys), lambda: _json_cells(file, encoding, keys))


def _json_cells(file: TableFile, encoding: str | None, keys: Sequence[str]) -> Iterator[list[str] | Broken]:
    for line in _objects(file, encoding):
        yield line if isinstance(line, Broken) else [_json_cell(line.get(key)) for key in keys]


def _objects(file: TableFile, encoding: str | None) -> Iterator[dict[str, object] | Broken]:
    with _text(file, encoding, "\n") as text:
        for line in text:
            if line.strip():
                yield _json_object(line)


def _json_object(line: str) -> dict[str, object] | Broken:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Broken(f"is not JSON ({error})")
    if not isinstance(value, dict):
        return Broken("is no JSON object")
    return Broken(_HALVES) if _HALF.search(line) and not _is_whole(value) else value


def _is_whole(value: object) -> bool:
    """Whether no string in a JSON value has halves of letters."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _json_cell(value: object) -> str:
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return join_labels(value)
    return as_text(value)


@contextmanager
def _explained(file: str) -> Iterator[None]:
    """A context that names a damaged Parquet file; errors of the system, such as those of a network, stay what they are."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise BadSource(f"the listing `{file}` is not a readable Parquet file ({error})") from error


def _cells(file: str, role: str, cells: pa.Array) -> list[object]:
    """The cells of a column; bytes are read as text, and lists of labels are joined to text."""
    is_binary = pa.types.is_binary(cells.type) or pa.types.is_large_binary(cells.type)
    try:
        values: list[object] = (cells.cast(pa.large_string()) if is_binary else cells).to_pylist()
    except (UnicodeDecodeError, pa.ArrowInvalid) as error:
        raise BadSource(f"the column {role} of the listing `{file}` holds bytes that are not UTF-8 text") from error
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
    """The value without spaces and invisible characters around it; a path and a text may contain them."""
    return value if role in ("path", "text") else stripped(value)
