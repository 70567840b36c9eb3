"""Tables whose rows are examples: CSV, JSON lines or Parquet with the column text, and label or labels, split, group and id."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from thaw.dataset.candidates import Candidate, Rejected, Source
from thaw.dataset.class_names import without_no_finding
from thaw.dataset.label_sets import split_labels
from thaw.dataset.listing_tables import ParquetTable, Row, TextTable
from thaw.dataset.places import ROW
from thaw.dataset.row_columns import find_row_columns
from thaw.dataset.slice_columns import refuse_identifying, slice_roles, slice_values
from thaw.dataset.split_names import SPLIT_NAMES, splits_named
from thaw.foundation.errors import BadSource

_ROLES = ("text", "label", "labels", "split", "group", "id")


def read_rows(name: str, file: Path, table: TextTable | ParquetTable, slices: Sequence[str] = ()) -> Source:
    """The rows of a table as candidates, under `TABLE#ID`, or under `TABLE#NUMBER` without a column id; numbers count from 1 after the header.

    Args:
        name: the table's path relative to the source.
        file: for messages.
        table: with a column of texts.
        slices: columns that part the rows, see `thaw.dataset.slices`.

    Raises:
        BadSource: there are no texts or no labels, two columns hold labels, an id stands in several rows, or a slice is no
            column or has too many values.
    """
    roles = find_row_columns(table.columns)
    if roles is None:
        raise BadSource(
            f"the table `{file}` has no column text, only {', '.join(filter(None, table.columns)) or 'none'}"
        )
    if not {"label", "labels"} & roles.keys():
        raise BadSource(
            f"the table `{file}` has no column label, only {', '.join(filter(None, table.columns))}; name the column label that holds the labels, or labels "
            "if a text may have several with `|` between them"
        )
    if {"label", "labels"} <= set(table.columns):
        raise BadSource(f"the table `{file}` has the columns label and labels; keep one of them")
    roles |= slice_roles(file, table.columns, slices)
    # The texts themselves are read later, one by one.
    rows = list(table.rows({role: column for role, column in roles.items() if role != "text"}))
    _refuse_repeated_ids(file, rows)
    splits = splits_named({row.values.get("split", "") for row in rows})
    read = [_candidate(name, row, splits) for row in rows]
    candidates, sentences = without_no_finding([entry for entry in read if isinstance(entry, Candidate)])
    rejected = tuple(entry for entry in read if isinstance(entry, Rejected))
    refuse_identifying(file, slices, candidates)
    return Source(
        tuple(sorted(candidates, key=lambda candidate: candidate.path)),
        rejected,
        (*_notes(roles, table.columns), *sentences),
    )


def _refuse_repeated_ids(file: Path, rows: Sequence[Row]) -> None:
    counts = Counter(key for row in rows if (key := row.values.get("id")))
    if repeated := [key for key, count in counts.items() if count > 1]:
        raise BadSource(
            f"the table `{file}` has the id `{repeated[0]}` in {counts[repeated[0]]} rows"
            + (f", and {len(repeated) - 1} more ids in several" if len(repeated) > 1 else "")
            + "; give each row an id of its own, or remove the column id"
        )


def _candidate(name: str, row: Row, splits: Mapping[str, str]) -> Candidate | Rejected:
    key = row.values.get("id", str(row.number))
    path = f"{name}{ROW}{key or row.number}"
    if row.wrong or not key:
        return Rejected(path, row.wrong or "has no id, and other rows have one")
    return candidate_of(path, path, row, splits)


def candidate_of(path: str, written: str, row: Row, splits: Mapping[str, str]) -> Candidate | Rejected:
    """The candidate of a row of any table, with its label or labels, split and group.

    path: of the example in the source. written: the row's own name for it. splits: see `thaw.dataset.split_names.splits_named`.
    """
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
        slice_values(row),
    )


def _notes(roles: Mapping[str, str], columns: Sequence[str]) -> Iterator[str]:
    for role, column in roles.items():
        if role in _ROLES and role != column:
            yield f"The table's column {column} is read as {role}."
    if unused := [column for column in columns if column and column not in roles.values()]:
        yield f"The table's columns {', '.join(unused)} are not used."
