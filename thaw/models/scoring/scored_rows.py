"""Tables whose rows are scored: CSV, JSON lines or Parquet with a column of texts, read row by row."""

from collections.abc import Iterator, Mapping
from pathlib import PurePath

from thaw.dataset.listing_tables import Row, Table
from thaw.dataset.places import ROW
from thaw.dataset.row_columns import find_row_columns
from thaw.foundation.errors import BadSource
from thaw.foundation.files.atomic import digest_bytes
from thaw.models.scoring.names import Input
from thaw.models.scoring.places import RowText


def columns_of(table: Table) -> Mapping[str, str] | None:
    """The columns text and id of a table; None: its rows are no texts."""
    found = find_row_columns(table.columns)
    return None if found is None else {role: found[role] for role in ("text", "id") if role in found}


def row_inputs(name: str, table: Table, columns: Mapping[str, str]) -> Iterator[Input]:
    """The rows of a table, as `TABLE#ID`, or as `TABLE#NUMBER` without a column id; a row that cannot be used comes with its reason.

    name: the path of the table. columns: of `columns_of`.

    Raises:
        BadSource: the table cannot be read, or has no rows.
    """
    row = None
    for row in table.rows(columns):
        yield _input(PurePath(name).name, row)
    if row is None:
        raise BadSource(f"the table `{name}` has no rows")


def _input(table: str, row: Row) -> Input:
    key = row.values.get("id", str(row.number))
    path = f"{table}{ROW}{key or row.number}".encode(errors="backslashreplace").decode()
    if row.wrong or not key:
        return Input(path, None, "", row.wrong or "has no id, and other rows have one")
    # JSON can state halves of letters; the kind then says that it is no text.
    content = row.values["text"].encode(errors="surrogatepass")
    return Input(path, RowText(content), digest_bytes(content).hex())
