"""Tables to score: listings of files, with a column `path`, and tables whose rows are texts; they are read row by row, and other columns are ignored.

A path is relative to the listing's own folder, and may not lead out of it; or it is an address at another place. So a listing of another person cannot name
any other file of this machine.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from thaw.dataset.listed_paths import refuse_path
from thaw.dataset.listing_columns import time_columns
from thaw.dataset.listing_tables import JSON_LINES, Row, Table, TableFile, open_table
from thaw.dataset.pieces import END, START, Piece, piece_between, piece_in
from thaw.foundation.errors import BadExample, BadSource
from thaw.foundation.files.walking import why_not_a_file
from thaw.models.scoring.names import Input, local_input
from thaw.models.scoring.places import (
    LocalFile,
    LocalPiece,
    RemoteFile,
    answering,
    file_system,
    is_of_this_machine,
    is_url,
)
from thaw.models.scoring.scored_rows import columns_of, row_inputs
from thaw.models.scoring.taken import Taken

_COLUMN = "path"
_ENDINGS = (".parquet", ".pq", ".csv", ".tsv", *JSON_LINES)
_ELSEWHERE = frozenset(
    ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "http", "https", "hf", "ftp", "sftp", "smb", "hdfs", "memory")
)
"""The kinds of addresses that a listing may name; none of them reads files of this machine or opens other addresses (`zip://x::file:///...`)."""


def tabled_inputs(files: Any, path: str, taken: Taken) -> Callable[[], Iterator[Input]] | None:
    """The examples of a table, which is opened anew for each iteration; None: the file is an example itself.

    A file is known to be a table by its ending; where examples have that ending too, by its columns.

    Raises:
        BadSource: the table cannot be read, or has neither paths nor texts.
        Unreachable: its place does not answer.
    """
    ending = PurePosixPath(path).suffix.lower()
    if ending not in _ENDINGS:
        return None
    name = path if is_of_this_machine(files) else files.unstrip_protocol(path)
    with answering(name):
        try:
            table = open_table(TableFile(name, partial(files.open, path, "rb")), taken.encoding)
        except BadSource:
            if ending == taken.ending:
                return None
            raise
    if _COLUMN in table.columns:
        return partial(_answering, name, partial(_listed, files, path, table, taken))
    if taken.rows and (columns := columns_of(table)):
        return partial(_answering, name, partial(row_inputs, name, table, columns))
    if ending == taken.ending:
        return None
    wanted = "neither a column path nor a column text" if taken.rows else "no column path"
    raise BadSource(f"the listing `{name}` has {wanted}, only {', '.join(filter(None, table.columns)) or 'none'}")


def _answering(name: str, inputs: Callable[[], Iterator[Input]]) -> Iterator[Input]:
    with answering(name):
        yield from inputs()


def _listed(files: Any, path: str, table: Table, taken: Taken) -> Iterator[Input]:
    """The files of a listing, under the names of the listing; a row that cannot be used comes with its reason."""
    folder = path.rpartition("/")[0]
    times = time_columns(path, table.columns) if taken.pieces else {}
    for row in table.rows({_COLUMN: _COLUMN, **times}):
        written = row.values[_COLUMN]
        if not written:
            yield Input("", None, "", f"(row {row.number} of the listing) {row.wrong or 'has no path'}")
            continue
        try:
            piece = _piece(written, row) if taken.pieces else None
        except BadExample as error:
            yield Input(written, None, "", str(error))
            continue
        whole = _input(files, folder, written if piece is None else piece.file)
        yield whole if piece is None else _cut(whole, piece)


def _piece(written: str, row: Row) -> Piece | None:
    """The piece that a row means, by its times or by its path; None: a whole file. Raises BadExample: its times are none."""
    return piece_between(written, row.values.get(START, ""), row.values.get(END, "")) or piece_in(written)


def _cut(recording: Input, piece: Piece) -> Input:
    """A piece of a recording that is to be scored."""
    name, place = str(piece), recording.place
    if place is None:
        return replace(recording, path=name)
    if not isinstance(place, LocalFile):
        return Input(name, None, "", "is a piece of a recording at another place; copy the recording to this machine")
    return Input(name, LocalPiece(place, piece), f"{recording.stamp} {piece.start_s} {piece.end_s}")


def _input(files: Any, folder: str, written: str) -> Input:
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
