"""A corpus: sentences in order, one a line, streamed from plain, `.xz`, `.gz` and Parquet files. An empty line ends a paragraph."""

import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from thaw.foundation.errors import BadSource
from thaw.foundation.files.content import HEAD_BYTES, pointer_in
from thaw.foundation.files.encodings import UTF8, recognised, shown
from thaw.foundation.parallel.progress import Progress, untold

LONGEST = 1_000_000
"""The most characters of a line; a longer one shows that the file has no sentences on lines."""
_ROWS = 4096
_TOLD_EVERY = 10_000
DAMAGED: tuple[type[Exception], ...] = (lzma.LZMAError, gzip.BadGzipFile, zlib.error, EOFError, pa.ArrowException)
"""The errors of damaged files."""


@dataclass(frozen=True)
class Corpus:
    """Files in order. column: of Parquet files. encoding: of the others; None: UTF-8."""

    files: tuple[Path, ...]
    column: str = "text"
    encoding: str | None = None


def lines_of(corpus: Corpus, progress: Progress = untold) -> Iterator[str]:
    """The lines without spaces at their ends; an empty line, or the end of a file, ends a paragraph.

    progress: called with the bytes that are read, of all bytes on the disk.

    Raises:
        BadSource: a file is missing, empty, damaged, no text, or of another encoding; or there is none.
    """
    if not corpus.files:
        raise BadSource("--corpus: no file is given; give one or more, of plain text, .xz, .gz or Parquet")
    sizes = [size_of(path) for path in corpus.files]
    for number, path in enumerate(corpus.files):
        before = sum(sizes[:number])

        def told(done: int, before: int = before) -> None:
            progress(before + done, sum(sizes))

        try:
            yield from _lines_in(path, corpus, told)
        except DAMAGED as error:
            raise BadSource(f"{path} is damaged, or cut short ({error}); fetch it again") from error
        yield ""


def size_of(path: Path) -> int:
    """The bytes of a file. Raises BadSource: it is missing, or empty."""
    if not path.is_file():
        raise BadSource(f"{path} is no file; a corpus is one or more files with a sentence on each line")
    if not (size := path.stat().st_size):
        raise BadSource(f"{path} is empty")
    return size


def _lines_in(path: Path, corpus: Corpus, told: Callable[[int], None]) -> Iterator[str]:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        file.seek(0)
        if (pointer := pointer_in(head)) is not None:
            raise BadSource(f"{path} {pointer}")
        if head.startswith(b"PAR1"):
            yield from _rows(path, file, corpus.column, told)
            return
        with unpacked(file, head) as stream:
            yield from _text_lines(path, stream, corpus.encoding, lambda: told(file.tell()))


@contextmanager
def unpacked(file: BinaryIO, head: bytes) -> Iterator[BinaryIO]:
    """The bytes of a file; the content tells how they are packed, and the name does not matter."""
    if head.startswith(b"\xfd7zXZ"):
        with lzma.open(file) as unpacked:
            yield cast("BinaryIO", unpacked)
    elif head.startswith(b"\x1f\x8b"):
        with gzip.open(file) as unzipped:
            yield cast("BinaryIO", unzipped)
    else:
        yield file


def _text_lines(path: Path, stream: BinaryIO, encoding: str | None, told: Callable[[], None]) -> Iterator[str]:
    try:
        text = io.TextIOWrapper(cast("io.BufferedReader", stream), encoding or "utf-8-sig", newline="\n")
    except LookupError as error:
        raise BadSource(f"--encoding: {encoding} is no encoding that Python knows") from error
    try:
        for number, line in enumerate(_limited(text), 1):
            yield checked(line, f"{path}, line {number}")
            if number % _TOLD_EVERY == 0:
                told()
    except UnicodeDecodeError as error:
        seen = recognised(error.object) if isinstance(error.object, bytes) else None
        hint = f"it looks like {seen}; save it as UTF-8, or give --encoding {seen}" if seen else "save it as UTF-8"
        raise BadSource(f"{path} is not {shown(encoding or UTF8)} text, and {hint}") from error
    finally:
        text.detach()


def _limited(text: TextIO) -> Iterator[str]:
    while line := text.readline(LONGEST + 1):
        yield line


def _rows(path: Path, file: BinaryIO, column: str, told: Callable[[int], None]) -> Iterator[str]:
    table = pq.ParquetFile(file)
    if column not in table.schema_arrow.names:
        raise BadSource(
            f"{path} has no column {column}; it has {', '.join(table.schema_arrow.names)}; give one as --column"
        )
    kind = table.schema_arrow.field(column).type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise BadSource(f"{path}: the column {column} holds {kind}, and no texts; give another one as --column")
    number = 0
    for batch in table.iter_batches(_ROWS, columns=[column]):
        for value in batch.column(0).to_pylist():
            number += 1
            # A sentence with line ends in it is still one sentence.
            yield checked(" ".join((value or "").split("\n")), f"{path}, row {number}")
        told(file.tell())


def checked(line: str, place: str) -> str:
    """A line without spaces at its ends. Raises BadSource: it is too long, or no text."""
    if len(line) > LONGEST:
        raise BadSource(f"{place} has more than {LONGEST:,} characters; a corpus has a sentence on each line")
    if "\0" in line:
        raise BadSource(f"{place} holds NUL bytes, so it is no text")
    return line.strip()
