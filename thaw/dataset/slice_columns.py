"""The columns of a table that part its examples into slices, such as the hospital or the scanner."""

from collections.abc import Sequence
from pathlib import Path

from thaw.dataset.candidates import Candidate
from thaw.dataset.class_names import listed_names
from thaw.dataset.listing_tables import Row
from thaw.foundation.errors import BadSource

_ROLE = "slice "
MOST_VALUES = 50
"""The most values of a column: pages name each of them, and a column of more tells examples or people apart."""


def slice_roles(file: Path, columns: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """The column of each slice, by the role under which a row has it; columns: in the form of `thaw.dataset.listing_tables.column_names`.

    Raises:
        BadSource: the table has no such column.
    """
    lacking = [name for name in names if _column(name) not in columns]
    if lacking:
        raise BadSource(
            f"the listing `{file}` has no column {listed_names(lacking)}, which dataset.slices names; it has {', '.join(filter(None, columns))}"
        )
    return {_ROLE + name: _column(name) for name in names}


def slice_values(row: Row) -> tuple[str, ...]:
    """The row's value of each slice, in the order of `dataset.slices`; an empty one is not stated."""
    return tuple(value for role, value in row.values.items() if role.startswith(_ROLE))


def refuse_identifying(file: Path, names: Sequence[str], candidates: Sequence[Candidate]) -> None:
    """Refuse a column of too many values. The message has none of them.

    Raises:
        BadSource: there is such a column.
    """
    for place, name in enumerate(names):
        count = len({candidate.slices[place] for candidate in candidates} - {""})
        if count > MOST_VALUES:
            raise BadSource(
                f"the column {name} of the listing `{file}` has {count} values, and dataset.slices takes {MOST_VALUES} at most, because reports name each: "
                "name a column such as the hospital or the scanner, and write ranges (such as 40 to 59) for numbers"
            )


def refuse_without_table(root: Path, names: Sequence[str]) -> None:
    """Refuse slices of a source of folders.

    Raises:
        BadSource: slices are named.
    """
    if names:
        raise BadSource(
            f"dataset.slices names {listed_names(names)}, and `{root}` has no table with columns; name one in dataset.listing, or empty dataset.slices"
        )


def _column(name: str) -> str:
    return name.strip().casefold()
