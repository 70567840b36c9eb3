"""Listings: a table (CSV, JSON lines or Parquet) of path and label (or labels, for sets), and optionally split and group."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from thaw.dataset.arrangement import unread_splits
from thaw.dataset.candidates import Candidate, Rejected, Source
from thaw.dataset.class_names import without_no_finding
from thaw.dataset.finding_columns import FindingColumns
from thaw.dataset.label_sets import join_labels
from thaw.dataset.listed_paths import ListedPaths, refuse_path
from thaw.dataset.listing_columns import roles_of, what_document
from thaw.dataset.listing_tables import JSON_LINES, Row, open_table
from thaw.dataset.pieces import END, START, piece_between
from thaw.dataset.row_columns import find_row_columns
from thaw.dataset.rows import candidate_of, read_rows
from thaw.dataset.slice_columns import refuse_identifying, slice_roles
from thaw.dataset.split_names import splits_named
from thaw.foundation.errors import BadExample, BadSource
from thaw.foundation.files.walking import why_not_a_file

_LOOKED_AT = 100_000
"""Bytes at the beginning of a listing that show whether it is a table at all."""


def read_listing(
    root: Path,
    name: str,
    *,
    rows: bool = False,
    pieces: bool = False,
    encoding: str | None = None,
    findings: FindingColumns | None = None,
    slices: Sequence[str] = (),
) -> Source:
    """Read a listing: its candidates, and the rows that cannot be used, with their reasons.

    CSV and JSON lines are UTF-8 (with or without a byte-order mark, with any line ends) or of the named encoding; CSV is separated by commas, semicolons or
    tabs. Paths are relative to `root`, or to the listing's own folder. An empty label, split or group means that the listing does not say. Equal rows count
    once. Other names of columns that mean the same are known, such as `file_name`.

    A column `labels` in the place of `label` holds sets: in CSV the names with `|` between them, in Parquet such a text or a list of strings. An empty cell
    (null) means that the listing does not say; a file that shows none of the classes has `|` alone, an empty list, or `No Finding`.

    With the columns `start_s` and `end_s`, a row is a piece of a recording, in seconds; both are empty for a whole file. Rows of such
    a listing without a group have that of their recording.

    Args:
        root: the source's folder.
        name: the listing's path relative to `root`.
        rows: whether a table with a column of texts is a source of its own, see `thaw.dataset.rows`.
        pieces: whether the columns of times are read.
        encoding: of the text; None: UTF-8.
        findings: columns that together are the label set; None: the column label or labels.
        slices: columns that part the examples, see `thaw.dataset.slices`.

    Raises:
        BadSource: the listing lies outside the source, is missing, unreadable, lacks the columns path and label (or labels) or a slice, has a slice of too
            many values, or names no file that exists.
    """
    file = root / name
    if why := refuse_path(name) or why_not_a_file(file):
        raise BadSource(f"the listing `{file}` {why}; `dataset.listing` is a path inside `dataset.source`")
    if file.suffix.lower() not in JSON_LINES and (why := _what_else(file)):
        raise BadSource(f"the listing `{file}` {why}")
    table, paths = open_table(file, encoding), ListedPaths(root, name)
    if findings is None and rows and find_row_columns(table.columns) is not None:
        return read_rows(name, file, table, slices)
    labelling = None if findings is None else findings.roles(file, table.columns)
    others = slice_roles(file, table.columns, slices)
    roles = roles_of(file, table.columns, table.sample(), paths, pieces=pieces, labelling=labelling, others=others)
    read, notes = list(table.rows(roles.columns)), list(roles.notes)
    if findings is not None:
        notes += findings.notes(read)
        read = [findings.with_labels(row) for row in read]
    source = _collect(paths, read, notes)
    if source.rejected and not source.candidates:
        first = source.rejected[0]
        raise BadSource(f"no row of the listing `{file}` can be used: `{first.path}` {first.reason}")
    refuse_identifying(file, slices, source.candidates)
    candidates, sentences = without_no_finding(source.candidates)
    return Source(
        tuple(candidates), source.rejected, (*source.notes, *sentences), (*roles.warnings, *unread_splits(candidates))
    )


def _what_else(file: Path) -> str | None:
    with file.open("rb") as stream:
        return what_document(stream.read(_LOOKED_AT).decode("utf-8-sig", errors="replace"))


def _collect(paths: ListedPaths, rows: Sequence[Row], notes: list[str]) -> Source:
    """Separate the rows into candidates and rejected files; a path with contradicting rows is rejected once."""
    by_path: dict[str, set[Candidate]] = defaultdict(set)
    rejected: list[Rejected] = []
    repeated = 0
    splits = splits_named({row.values.get("split", "") for row in rows})
    for row in rows:
        file = _candidate(paths, row, splits)
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


def _candidate(paths: ListedPaths, row: Row, splits: Mapping[str, str]) -> Candidate | Rejected:
    written = row.values["path"]
    if row.wrong or not written:
        return Rejected(written or paths.listing, f"(row {row.number} of the listing) {row.wrong or 'has no path'}")
    path = paths.find(written)
    if path is None:
        return Rejected(written, f"is in the listing, but {paths.why_not(written)}")
    try:
        piece = piece_between(path, row.values.get(START, ""), row.values.get(END, ""))
    except BadExample as error:
        return Rejected(written, str(error))
    if START not in row.values:
        return candidate_of(path, written, row, splits)
    name = path if piece is None else str(piece)
    found = candidate_of(name, name, row, splits)
    return found if isinstance(found, Rejected) or found.group is not None else replace(found, group=path)


def _contradiction(candidates: set[Candidate]) -> str:
    for column in ("label", "split", "group"):
        values = sorted({str(getattr(candidate, column) or "none") for candidate in candidates})
        if len(values) > 1:
            return f"is in the listing with more than one {column}: {', '.join(values)}"
    sets = sorted({"none" if candidate.labels is None else join_labels(candidate.labels) for candidate in candidates})
    if len(sets) > 1:
        return f"is in the listing with more than one set of labels: {', '.join(sets)}"
    if len({candidate.slices for candidate in candidates}) > 1:
        return "is in the listing with more than one value in a column of dataset.slices"
    raise AssertionError("rows that agree in everything are one candidate")
