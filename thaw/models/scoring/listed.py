"""Listings of the files to score: CSV or Parquet with a column `path`, read row by row; other columns are ignored.

A path is relative to the listing's own folder, and may not lead out of it; or it is an address at another place. So a listing of another person cannot name
any other file of this machine.
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from thaw.dataset.listed_paths import refuse_path
from thaw.dataset.listing_tables import DELIMITERS, as_text, column_names
from thaw.features.store.store import is_of_the_system
from thaw.foundation.errors import BadSource
from thaw.foundation.files.walking import why_not_a_file
from thaw.models.scoring.names import Input, local_input
from thaw.models.scoring.places import RemoteFile, answering, file_system, is_of_this_machine, is_url

_COLUMN = "path"
_PARQUET, _CSV = (".parquet", ".pq"), (".csv", ".tsv")
_ROWS = 4096
_LONGEST_HEADER = 65536
_ELSEWHERE = frozenset(
    ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "http", "https", "hf", "ftp", "sftp", "smb", "hdfs", "memory")
)
"""The kinds of addresses that a listing may name; none of them reads files of this machine or opens other addresses (`zip://x::file:///...`)."""


def is_listing(files: Any, path: str, own: str) -> bool:
    """Whether a file is read as a listing: by its ending. Where examples have that ending too (`own`), it must have a column `path`."""
    ending = PurePosixPath(path).suffix.lower()
    if ending not in (*_PARQUET, *_CSV):
        return False
    return ending != own or _has_paths(files, path)


def _has_paths(files: Any, path: str) -> bool:
    """Whether the first line of a CSV file names a column `path`."""
    with files.open(path, "rb") as stream:
        header = stream.readline(_LONGEST_HEADER).decode("utf-8-sig", errors="replace").strip()
    return any(_COLUMN in column_names(header.split(delimiter)) for delimiter in DELIMITERS)


def listed_inputs(files: Any, path: str) -> Iterator[Input]:
    """The files of a listing, under the names of the listing; a row that cannot be used comes with its reason.

    Raises:
        BadSource: the listing cannot be read, or has no column `path`.
        Unreachable: the listing's place does not answer.
    """
    name = path if is_of_this_machine(files) else files.unstrip_protocol(path)
    read = _parquet_paths if PurePosixPath(path).suffix.lower() in _PARQUET else _csv_paths
    folder = path.rpartition("/")[0]
    with answering(name), files.open(path, "rb") as stream:
        for number, written in enumerate(read(stream, name), start=1):
            yield _input(files, folder, written, number)


def _input(files: Any, folder: str, written: str, number: int) -> Input:
    if not written:
        return Input("", None, "", f"(row {number} of the listing) has no path")
    if is_url(written):
        return _elsewhere(written)
    if why := refuse_path(written):
        return Input(written, None, "", why.replace("the source", "the listing's folder"))
    if not is_of_this_machine(files):
        return Input(written, RemoteFile(files, f"{folder}/{written}"))
    path = Path(folder) / written
    if why := why_not_a_file(path):
        return Input(written, None, "", f"is in the listing, but {why}")
    return local_input(path, written)


def _elsewhere(url: str) -> Input:
    kind = url.partition("://")[0].lower()
    if kind not in _ELSEWHERE or "::" in url:
        # The check comes first, because a look at a chain of addresses opens files.
        return Input(
            url, None, "", f"is an address that a listing may not name; allowed are {', '.join(sorted(_ELSEWHERE))}"
        )
    try:
        files, path = file_system(url)
    except BadSource as error:
        return Input(url, None, "", f"is in the listing, but {error}")
    return Input(url, RemoteFile(files, path))


def _csv_paths(stream: Any, name: str) -> Iterator[str]:
    text = io.TextIOWrapper(cast("io.BufferedReader", stream), "utf-8-sig", newline="")
    try:
        header = text.readline()
        delimiter = max(DELIMITERS, key=header.count)
        place = _place(next(csv.reader([header], delimiter=delimiter, strict=True), []), name)
        for row in csv.reader(text, delimiter=delimiter, strict=True):
            if row:
                yield row[place] if place < len(row) else ""
    except UnicodeDecodeError as error:
        raise BadSource(f"the listing `{name}` is not UTF-8 text (byte {error.start}); save it as CSV UTF-8") from error
    except csv.Error as error:
        raise BadSource(f"the listing `{name}` is not valid CSV: {error}") from error


def _parquet_paths(stream: Any, name: str) -> Iterator[str]:
    try:
        table = pq.ParquetFile(stream)
        place = _place(table.schema_arrow.names, name)
        for batch in table.iter_batches(_ROWS, columns=[table.schema_arrow.names[place]]):
            yield from map(as_text, batch.column(0).to_pylist())
    except (OSError, pa.ArrowException) as error:
        if is_of_the_system(error):
            raise
        raise BadSource(f"the listing `{name}` is not a readable Parquet file ({error})") from error


def _place(names: list[str], listing: str) -> int:
    columns = column_names(names)
    if _COLUMN not in columns:
        raise BadSource(
            f"the listing `{listing}` has no column path, only {', '.join(filter(None, columns)) or 'none'}"
        )
    return columns.index(_COLUMN)
