"""The places of a source's examples: files of a folder, rows of a table, and pieces of recordings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import pyarrow as pa

from thaw.dataset.listing_tables import open_table
from thaw.dataset.pieces import Piece, piece_in
from thaw.dataset.row_columns import find_row_columns
from thaw.foundation.errors import BadSource
from thaw.foundation.files.encodings import decoded
from thaw.kinds.recordings import piece_of

if TYPE_CHECKING:
    from thaw.dataset.manifest import Example
    from thaw.kinds.kind import Reference
    from thaw.params.sections import DatasetParams

_READING = Lock()
TEXT = ".txt"
ROW = "#"
"""Between the path of a table and the key of a row: `reviews.csv#12`."""


@dataclass(frozen=True)
class RowPlace:
    """The place of a row's text. table: the file. key: the row's `id`, or its number."""

    table: Path
    key: str
    encoding: str | None = None

    def __str__(self) -> str:
        return f"{self.table}{ROW}{self.key}"

    def read_bytes(self) -> bytes:
        """The text as UTF-8.

        Raises:
            OSError: the table or the row is gone, or the table cannot be read any more.
        """
        state = self.table.stat()
        try:
            # One thread reads the table, and the others wait for it.
            with _READING:
                cells = _cells(self.table, self.encoding, state.st_size, state.st_mtime_ns)
        except BadSource as error:
            raise OSError(0, str(error)) from error
        place = cells.place(self.key)
        if place is None:
            raise FileNotFoundError(0, "the table has no such row")
        return bytes(cells.texts[place].as_buffer())


@dataclass(frozen=True)
class TextFile:
    """The place of a text file of another encoding than UTF-8."""

    path: Path
    encoding: str

    def __str__(self) -> str:
        return str(self.path)

    def read_bytes(self) -> bytes:
        """The text as UTF-8. Raises OSError: the file is gone, or of another encoding."""
        try:
            return decoded(self.path.read_bytes(), self.encoding).encode()
        except UnicodeError as error:
            raise OSError(0, str(error)) from error


@dataclass(frozen=True)
class PiecePlace:
    """The place of a piece of a recording. file: the recording. piece: its own path is for messages."""

    file: Path
    piece: Piece

    def __str__(self) -> str:
        return str(replace(self.piece, file=str(self.file)))

    def read_bytes(self) -> bytes:
        """The piece as a file. Raises OSError: the recording cannot be read."""
        return piece_of(self.file, self.piece.start_s, self.piece.end_s)


Place = Path | RowPlace | TextFile | PiecePlace


def recording_at(place: Place) -> tuple[Path | None, float]:
    """The file in which a recording can be heard, and where it begins there, in seconds; None: nowhere."""
    if isinstance(place, PiecePlace):
        return place.file, place.piece.start_s
    return (place if isinstance(place, Path) else None), 0.0


def read_within(place: Place, refuse_size: Callable[[int], None]) -> bytes:
    """The bytes of an example, a file's after a check of its size. refuse_size: see `Kind.refuse_size`; what it raises is passed on.

    Raises:
        OSError: the place cannot be read.
    """
    if isinstance(place, Path):
        refuse_size(place.stat().st_size)
        return place.read_bytes()
    content = place.read_bytes()
    refuse_size(len(content))
    return content


@dataclass(frozen=True)
class Places:
    """The examples of a source by their paths in the manifest. source: a folder, or a table. encoding: of tables; None: UTF-8."""

    source: Path
    encoding: str | None = None

    @cached_property
    def root(self) -> Path:
        """The folder that paths are relative to."""
        return self.source.parent if self.source.is_file() else self.source

    def at(self, path: str) -> Place:
        """The place of an example; path: relative to the source, such as `ant/1.jpg`, `reviews.csv#12` or `talk.flac#t=1.5,2`."""
        root = self.root
        if (piece := piece_in(path)) is not None and not (root / path).exists():
            return PiecePlace(root / piece.file, piece)
        table, mark, key = path.rpartition(ROW)
        if mark and not (root / path).exists() and (root / table).is_file():
            return RowPlace(root / table, key, self.encoding)
        return TextFile(root / path, self.encoding) if self.encoding and path.endswith(TEXT) else root / path


def places_of(params: DatasetParams, root: Path = Path()) -> Places:
    """The places of a project's source; root: the project's folder."""
    return Places(root / params.source, params.encoding)


def references_of(examples: Iterable[Example], places: Places) -> list[Reference]:
    """The digest of each example, and the place of its bytes."""
    return [(example.digest, places.at(example.path)) for example in examples]


@dataclass(frozen=True, eq=False)
class _Cells:
    """The texts of a table by row; places: of each id, None if rows have numbers."""

    texts: pa.LargeStringArray
    places: Mapping[str, int] | None

    def place(self, key: str) -> int | None:
        if self.places is not None:
            return self.places.get(key)
        number = int(key) if key.isascii() and key.isdigit() else 0
        return number - 1 if 1 <= number <= len(self.texts) else None


@lru_cache(maxsize=4)
def _cells(table: Path, encoding: str | None, size: int, modified_ns: int) -> _Cells:
    """The texts of a table. size and modified_ns: of the present file, so that another file is read anew."""
    opened = open_table(table, encoding)
    columns = find_row_columns(opened.columns)
    if columns is None:
        raise BadSource(f"{table} has no column text any more")
    roles = {role: column for role, column in columns.items() if role in ("text", "id")}
    texts: dict[int, str] = {}
    places: dict[str, int] = {}
    for row in opened.rows(roles):
        texts[row.number] = row.values["text"]
        if "id" in roles:
            places.setdefault(row.values["id"], row.number - 1)
    whole = [texts.get(number, "") for number in range(1, max(texts, default=0) + 1)]
    return _Cells(pa.array(whole, pa.large_string()), places if "id" in roles else None)
