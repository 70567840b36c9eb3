"""The columns of a listing: which one holds the paths, which one the labels; and what to write where a tool exported something else."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from thaw.dataset.listed_paths import ListedPaths
from thaw.dataset.pieces import END, START
from thaw.foundation.errors import BadSource

COLUMNS = ("path", "label", "labels", "split", "group")
_PATHS = ("file_name", "filename", "file name", "file", "filepath", "file_path", "file path", "fname")
_LABEL = ("class", "class_name", "class name", "category", "target")
_SETS = ("finding labels", "tags", "classes", "categories")
_TIMES = {START: ("start", "start_time", "onset"), END: ("end", "end_time", "offset")}
"""Other names of the columns of a piece's times, in seconds."""
_INDEX = ("", "index", "unnamed: 0", "__index_level_0__")
"""Columns that pandas writes for its row numbers."""
_PEOPLE = ("patient", "subject", "person", "speaker", "author", "user")
_ONES = frozenset({"", "0", "1", "-1", "0.0", "1.0", "-1.0", "true", "false"})
_LABEL_STUDIO = frozenset({"annotation_id", "lead_time", "annotator"})


@dataclass(frozen=True)
class Roles:
    """columns: the column of each role, a name of `COLUMNS`. notes, warnings: sentences."""

    columns: Mapping[str, str]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def roles_of(
    file: Path,
    columns: Sequence[str],
    sample: Mapping[str, Sequence[str]],
    paths: ListedPaths,
    *,
    pieces: bool = False,
    labelling: Mapping[str, str] | None = None,
    others: Mapping[str, str] | None = None,
) -> Roles:
    """The roles of the columns, by their names; a path is also known by the files that it names.

    Args:
        file: the listing, for messages.
        columns: all of them, in the form of `thaw.dataset.listing_tables.column_names`.
        sample: the first values of each column that holds text.
        paths: the files of the source.
        pieces: whether columns of times are read.
        labelling: the roles of the columns with labels, where these are known; None: they are looked for.
        others: further roles, of columns that may have one of the usual roles as well.

    Raises:
        BadSource: a column is there twice, or there is no column of paths or of labels; the message says what to write.
    """
    named = [column for column in columns if column not in _INDEX]
    if twice := sorted({column for column in named if named.count(column) > 1}):
        raise BadSource(f"the listing `{file}` has the column {' and '.join(twice)} more than once")
    path, known = _path(named, sample, lambda value: paths.find(value) is not None), labelling is not None
    labelling = _labelling(named) if labelling is None else labelling
    if len(labelling) == 2 and not known:
        raise BadSource(
            f"the listing `{file}` has the columns label and labels; keep one of them: label for one label a file, labels for sets"
        )
    if path is None or not labelling:
        raise BadSource(
            f"the listing `{file}` {_what_to_write(named, sample, path, labelling, paths)}{_such_as(sample, paths) if path is None else ''}"
        )
    chosen = {"path": path, **labelling} | {role: role for role in ("split", "group") if role in named}
    if pieces:
        chosen |= time_columns(str(file), named)
    every = chosen | dict(others or {})
    return Roles(every, tuple(_notes(every, named)), tuple(_warnings(chosen, named)))


def time_columns(file: str, named: Sequence[str]) -> dict[str, str]:
    """The columns of a piece's start and end, for the roles `start_s` and `end_s`; empty if there are none.

    Raises:
        BadSource: there is only one of them.
    """
    found = {role: next((name for name in (role, *others) if name in named), None) for role, others in _TIMES.items()}
    columns = {role: column for role, column in found.items() if column is not None}
    if len(columns) == 1:
        (there,) = columns.values()
        (lacking,) = _TIMES.keys() - columns.keys()
        raise BadSource(
            f"the listing `{file}` has the column {there} without the column {lacking}; name both, in seconds"
        )
    return columns


def _path(named: Sequence[str], sample: Mapping[str, Sequence[str]], is_file: Callable[[str], bool]) -> str | None:
    if "path" in named:
        return "path"
    if by_name := [column for column in _PATHS if column in named]:
        return by_name[0]
    naming = [column for column in named if column not in COLUMNS and _mostly(sample.get(column, ()), is_file)]
    return naming[0] if len(naming) == 1 else None


def _mostly(values: Sequence[str], is_file: Callable[[str], bool]) -> bool:
    filled = [value for value in values if value]
    return bool(filled) and 2 * sum(map(is_file, filled)) > len(filled)


def _labelling(named: Sequence[str]) -> dict[str, str]:
    """The role label or labels with its column; both if the listing has both; empty if no name says that it holds labels."""
    if own := {role: role for role in ("label", "labels") if role in named}:
        return own
    other = [("label", column) for column in _LABEL if column in named] + [
        ("labels", column) for column in _SETS if column in named
    ]
    return dict(other) if len(other) == 1 else {}


def _what_to_write(
    named: Sequence[str],
    sample: Mapping[str, Sequence[str]],
    path: str | None,
    labelling: Mapping[str, str],
    paths: ListedPaths,
) -> str:
    """The end of a sentence on a listing without paths or labels."""
    if any(_names_a_file(column, paths) for column in named):
        return f"has no header, because `{named[0]}` stands in its first line; write path,label as the first line"
    only = f"only {', '.join(named) or 'none'}"
    if len(_LABEL_STUDIO.intersection(named)) > 1:
        return (
            "is an export of Label Studio; write a table with the columns path, with each file's path inside the source, "
            f"and label, with its choice; it has {', '.join(named)}"
        )
    if path is None:
        return f"has no column path, {only}; name the column path that holds the files' paths inside the source"
    classes = [column for column in named if set(map(str.casefold, sample.get(column, ("?",)))) <= _ONES]
    if len(classes) > 1 and not labelling:
        return (
            f"has no column label, but {len(classes)} columns of 0 and 1, such as {classes[0]} and {classes[1]}; name those that are labels: "
            f"dataset.columns=[{classes[0]}, {classes[1]}]"
        )
    return f"has no column label, {only}; name the column label that holds the labels, or labels if a file may have several with `|` between them"


def _names_a_file(column: str, paths: ListedPaths) -> bool:
    """Whether the name of a column is that of a file, because the listing has no header; columns are in lower case."""
    nearest = paths.nearest(column)
    return nearest is not None and PurePosixPath(nearest).name.casefold() == column.rsplit("/", 1)[-1]


def _such_as(sample: Mapping[str, Sequence[str]], paths: ListedPaths) -> str:
    """The end of a sentence on how a path is written, by the first value that is the mere name of a file."""
    for column, values in sample.items():
        value = next(filter(None, values), "")
        nearest = paths.nearest(value)
        if nearest is not None and PurePosixPath(nearest).name == value:
            return f", such as `{nearest}` for `{value}` in the column {column}"
    return ""


def _notes(chosen: Mapping[str, str], named: Sequence[str]) -> list[str]:
    other = [
        f"The listing's column {column} is read as {role}."
        for role, column in chosen.items()
        if role in (*COLUMNS, *_TIMES) and role != column
    ]
    unused = [column for column in named if column not in chosen.values()]
    return [*other, *([f"The listing's columns {', '.join(unused)} are not used."] if unused else [])]


def _warnings(chosen: Mapping[str, str], named: Sequence[str]) -> list[str]:
    people = [column for column in named if column not in chosen.values() and any(word in column for word in _PEOPLE)]
    ids = [column for column in people if column.endswith(("id", "name")) or column in _PEOPLE]
    if "group" in chosen or not ids:
        return []
    return [
        f"The column {ids[0]} of the listing is not used. If examples with the same {ids[0]} belong together, name it group; "
        "else some are trained on and others tested on, and the test looks better than it is."
    ]


def what_document(text: str) -> str | None:
    """The reason why the text of a file is no table, as the end of a sentence that says what to write; None: it may be a table."""
    start = text.lstrip()[:1]
    if start == "<":
        return f"is XML, not a table; {_WRITE} label, with the label of the whole file"
    if start not in ("{", "["):
        return None
    if '"annotations"' in text and '"categories"' in text:
        return (
            f"is an export of COCO, not a table; {_WRITE} labels, with the names of its categories and `|` between them"
        )
    if '"annotations"' in text or '"annotator"' in text or '"completions"' in text:
        return f"is an export of Label Studio, not a table; {_WRITE} label, with its choice (Label Studio also exports CSV)"
    return f"is JSON, not a table; {_WRITE} label, with its label"


_WRITE = "write a CSV file with a row for each file and the columns path, with its path inside the source, and"
