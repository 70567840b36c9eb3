"""Doubts about the layout of a folder: names and sub-folders that suggest other classes than the top folders."""

from collections.abc import Collection, Iterator
from pathlib import Path

from thaw.dataset.manifest import TRAIN
from thaw.dataset.split_names import splits_mentioned, splits_named
from thaw.foundation.files.walking import folders_in

_SHOWN = 4


def doubts_about_layout(root: Path, splits: Collection[str]) -> Iterator[str]:
    """Sentences that say what was read, why it may be wrong, and what to do.

    Args:
        root: the source's folder.
        splits: the top folders that are splits; empty if the top folders are the classes.
    """
    top = folders_in(root)
    if splits or len(top) < 2:
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
