"""Doubts about the layout of a folder: names and sub-folders that suggest other classes than the top folders."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path, PurePosixPath

from thaw.dataset.candidates import Candidate
from thaw.dataset.manifest import TRAIN
from thaw.dataset.split_names import splits_mentioned, splits_named
from thaw.foundation.errors import BadSource
from thaw.foundation.files.walking import folders_in

_SHOWN = 4
_DESCRIBING = frozenset({".txt", ".xml", ".json"})
"""Endings of files that describe others."""
_TABLES = (".csv", ".tsv", ".parquet")


def refuse_annotations(root: Path, candidates: Iterable[Candidate]) -> None:
    """Refuse a source in which all files of a class describe those of another class: the same names with the ending of a text, as object detectors have them.

    Raises:
        BadSource: there is such a class.
    """
    by_class: dict[str, list[PurePosixPath]] = defaultdict(list)
    for candidate in candidates:
        if candidate.label is not None:
            by_class[candidate.label].append(PurePosixPath(candidate.path))
    described = {path.stem for paths in by_class.values() for path in paths if path.suffix.lower() not in _DESCRIBING}
    for name, paths in by_class.items():
        if all(path.suffix.lower() in _DESCRIBING for path in paths) and 2 * sum(
            path.stem in described for path in paths
        ) > len(paths):
            raise BadSource(
                f"the folder `{name}` of `{root}` holds annotations of the other files, such as `{paths[0]}`, and no class (YOLO and Pascal VOC "
                "lay them out so); put the files of each class into a folder with its name, or write a listing with the columns path and labels"
            )


def doubts_about_layout(root: Path, splits: Collection[str]) -> Iterator[str]:
    """Sentences that say what was read, why it may be wrong, and what to do.

    Args:
        root: the source's folder.
        splits: the top folders that are splits; empty if the top folders are the classes.
    """
    top = folders_in(root)
    if splits:
        return
    yield from _beside(root)
    if len(top) < 2:
        return
    inside = [frozenset(folders_in(root / name)) for name in top]
    mentioned = splits_mentioned(top)
    if len(set(mentioned.values())) > 1 and TRAIN in mentioned.values():
        yield (
            f"The folders {_listed(mentioned)} are read as classes, though their names speak of splits. "
            "If they are splits, rename them to train, val and test, with the class folders directly inside each."
        )
    elif shared := _shared(inside):
        yield _same_inside(top, shared)


def unread_splits(candidates: Iterable[Candidate]) -> Iterator[str]:
    """A sentence on a listing that names no split, of files that lie in folders of splits."""
    rows = tuple(candidates)
    if any(row.split is not None for row in rows):
        return
    tops = {row.path.split("/")[0] for row in rows if "/" in row.path}
    named = splits_named(tops)
    if named.keys() == tops and TRAIN in named.values() and len(set(named.values())) > 1:
        yield (
            f"The files of the listing lie in the folders {_listed(tops)}, and the listing has no column split, so other splits are drawn from all of them. "
            "To use the folders as splits, add the column split."
        )


def _beside(root: Path) -> Iterator[str]:
    """A sentence on a source that is itself one split of a set, with the others beside it."""
    here = root.resolve()
    if not splits_named([here.name]):
        return
    try:
        named = splits_named([here.name, *folders_in(here.parent)])
    except OSError:  # the folder around the source may not be read
        return
    others = [name for name, split in named.items() if split != named.get(here.name)]
    if others:
        yield (
            f"The source is a folder `{here.name}` with {_listed(others)} beside it, which are not read; validation and test are drawn from `{here.name}`. "
            "To use all splits, set dataset.source to the folder around them."
        )


def unread_tables(candidates: Iterable[Candidate]) -> Iterator[str]:
    """A sentence on a table beside the class folders, which may hold the labels."""
    tables = [one.path for one in candidates if one.label is None and PurePosixPath(one.path).suffix.lower() in _TABLES]
    if len(tables) == 1:
        yield f"The table `{tables[0]}` is not read. If it holds the labels, set dataset.listing={tables[0]}."


def _same_inside(top: Collection[str], shared: Collection[str]) -> str:
    same = f"All {len(top)} top folders hold the same folders inside ({_listed(shared)})"
    if set(splits_named(shared).values()) > {TRAIN}:
        return (
            f"{same}. The top folders are read as classes, and the splits inside them are not used. "
            "To use these splits, put the folders train, val and test at the top, with the class folders inside each."
        )
    return (
        f"{same}, and the top folders are read as classes. If the classes are the folders inside, move these to the top, "
        "or rename the top folders to train, val and test if they are splits."
    )


def _shared(inside: Collection[frozenset[str]]) -> list[str]:
    """The names that all top folders have inside, if there are several, and they are most of all names inside."""
    shared, every = frozenset.intersection(*inside), frozenset.union(*inside)
    return sorted(shared) if len(shared) > 1 and 2 * len(shared) >= len(every) else []


def _listed(names: Collection[str]) -> str:
    listed = sorted(names)
    shown = ", ".join(f"`{name}`" for name in listed[:_SHOWN])
    return shown if len(listed) <= _SHOWN else f"{shown} and {len(listed) - _SHOWN} more"
