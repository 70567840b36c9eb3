"""Names of classes that may mean something else: two names for one class, missing values, lists in one cell."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from thaw.dataset.candidates import Candidate
from thaw.dataset.label_sets import SEPARATOR
from thaw.foundation.errors import BadSource
from thaw.foundation.files.display_names import plain

MISSING = frozenset(
    {"nan", "n/a", "na", "#n/a", "#na", "<na>", "null", "none", "nil", "nat", "-", "--", "?", "missing", "undefined"}
)
"""Words that programs and people write for a missing value, in the form of `plain`."""
NO_FINDING = frozenset({"no finding", "no findings"})
"""Names that radiologists write in the place of an empty set."""
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?", re.ASCII)
_JOINING = str.maketrans("", "", " _-")
_SHOWN = 4


def check_class_names(root: Path, labels: Iterable[str]) -> list[str]:
    """Refuse class names that differ only by case, spaces, invisible characters or Unicode form, because they are almost surely one class.

    Single letters may be the classes themselves, so `A` and `a` are allowed, with a note.

    Raises:
        BadSource: there are such names.
    """
    several = _alike(labels, plain)
    for same in several:
        if any(len(label) > 1 for label in same):
            raise BadSource(
                f"`{root}` has the classes {listed_names(same, quote=True)}, whose names differ only by case, spaces, "
                "invisible characters or Unicode form; they are almost surely one class: give them one name"
            )
    return [
        f"The classes {listed_names(same)} differ only by case; they are kept apart as single letters."
        for same in several
    ]


def doubts_about_names(candidates: Iterable[Candidate], *, listed: bool) -> Iterator[str]:
    """Sentences on names that may be no classes, or no groups, and what to write. listed: they come from a listing, and not from folders."""
    rows = tuple(candidates)
    counts = Counter(name for row in rows for name in row.names or ())
    yield from _missing(
        counts, "classes", "leave the cell empty" if listed else "put the files beside the class folders"
    )
    yield from _missing(Counter(row.group for row in rows if row.group is not None), "groups", "leave the cell empty")
    yield from _several_in_one(rows)
    for same in _alike(counts, lambda name: repr(float(name)) if _NUMBER.fullmatch(name) else name):
        yield f"The classes {listed_names(same)} are the same number. If they are one class, write it in one way."
    for same in _alike(counts, lambda name: plain(name).translate(_JOINING) or name):
        if len({plain(name) for name in same}) > 1:
            yield f"The classes {listed_names(same)} differ only by spaces, `_` or `-`. If they are one class, give them one name."


def without_no_finding(candidates: Iterable[Candidate]) -> tuple[list[Candidate], list[str]]:
    """The candidates with the empty set in the place of `No Finding` alone, if other files have other names; and sentences that say so."""
    rows = list(candidates)
    names = {name for row in rows for name in row.labels or ()}
    empty = {name for name in names if plain(name) in NO_FINDING}
    if not empty or empty == names:
        return rows, []
    if beside := next((row.path for row in rows if row.labels and len(row.labels) > 1 and empty & {*row.labels}), None):
        return rows, [
            f"`{beside}` has {listed_names(empty)} beside other labels, so it is read as a class; correct that row."
        ]
    changed = [replace(row, labels=()) if row.labels and empty & {*row.labels} else row for row in rows]
    return changed, [
        f"{listed_names(empty)} is read as the empty set: {sum(row.labels == () for row in changed)} files show none of the classes."
    ]


def _missing(counts: Mapping[str, int], read_as: str, instead: str) -> Iterator[str]:
    names = sorted(name for name in counts if plain(name) in MISSING)
    if names:
        listed = ", ".join(f"`{name}` ({counts[name]} file{'' if counts[name] == 1 else 's'})" for name in names)
        yield (
            f"Words that often stand for a missing value are read as {read_as}: {listed}. "
            f"If they do, {instead}; if they are {read_as}, nothing is to be done."
        )


def _several_in_one(rows: Iterable[Candidate]) -> Iterator[str]:
    names = sorted({row.label for row in rows if row.label is not None})
    if piped := [name for name in names if SEPARATOR in name]:
        yield (
            f"{listed_names(piped)} {'is' if len(piped) == 1 else 'are each'} read as one class. "
            f"If `{SEPARATOR}` separates several labels, name the column labels."
        )
    if lists := [name for name in names if (name[0], name[-1]) in {("[", "]"), ("{", "}")}]:
        yield (
            f"{listed_names(lists)} {'is' if len(lists) == 1 else 'are each'} read as one class. "
            f"If they are lists of labels, write the names with `{SEPARATOR}` between them into a column labels."
        )


def _alike(labels: Iterable[str], form: Callable[[str], str]) -> list[list[str]]:
    """The sets of different labels with the same form."""
    same: dict[str, set[str]] = defaultdict(set)
    for label in set(labels):
        same[form(label)].add(label)
    return [sorted(names) for _, names in sorted(same.items()) if len(names) > 1]


def listed_names(names: Iterable[str], *, quote: bool = False) -> str:
    """Names for a sentence; `quote` shows code points where two of them would look the same."""
    listed = sorted(names)
    looks = {unicodedata.normalize("NFC", name) for name in listed}
    same = quote and (len(looks) < len(listed) or not all(name.isprintable() for name in listed))
    shown = [ascii(name) if same else f"`{name}`" for name in listed]
    if len(shown) > _SHOWN:
        return ", ".join(shown[:_SHOWN]) + f" and {len(shown) - _SHOWN} more"
    return ", ".join(shown[:-1]) + f" and {shown[-1]}" if len(shown) > 1 else shown[0]
