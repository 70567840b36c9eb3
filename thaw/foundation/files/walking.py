"""The walk through an untidy folder: links, loops, stray files, names of any kind."""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

STRAY = frozenset({"__macosx", "thumbs.db", "desktop.ini", "@eadir", "$recycle.bin", "lost+found", "__pycache__"})
"""Names that systems and tools leave behind, in lower case; these are skipped, and so is any name that begins with a dot."""

_LOOP = "is a link to a folder that it lies in"
_NOWHERE = "is a link that leads nowhere"
_SELF = "is a link that leads to itself"
_NOT_UTF8 = "has a name that is not valid UTF-8; rename it"
_SPECIAL = "is not a file (a pipe, a socket or a device)"


@dataclass(frozen=True)
class ListedFile:
    """A file below a folder: `path` is relative to it, POSIX; `reason` is why the file cannot be opened, or None.

    The reason continues a sentence: "is a link that leads nowhere".
    """

    path: str
    reason: str | None = None


def is_stray(name: str) -> bool:
    """Whether a file or folder of this name is skipped, because it is hidden or left behind by a system or tool."""
    return name.startswith(".") or name.casefold() in STRAY


def folders_in(folder: Path) -> list[str]:
    """The names of the folders (and links to folders) directly in a folder, sorted, without stray ones."""
    return [entry.name for entry in _entries(folder) if not is_stray(entry.name) and _is_folder(entry)]


def files_below(root: Path, *, stray: bool = False) -> Iterator[ListedFile]:
    """Every file below `root`, links followed; a file that cannot be opened and a link that cannot be followed come with their reason.

    Args:
        root: the folder.
        stray: also look at hidden and stray names.
    """
    pending: list[tuple[str, tuple[tuple[int, int], ...]]] = [("", (_identity(root.stat()),))]
    while pending:
        folder, above = pending.pop()
        try:
            entries = _entries(root / folder)
        except OSError as error:
            yield ListedFile(folder, f"cannot be opened ({error.strerror})")
            continue
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if not stray and is_stray(entry.name):
                continue
            if not _is_utf8(entry.name):
                yield ListedFile(printable(path), _NOT_UTF8)
            elif not _is_folder(entry):
                yield ListedFile(path, why_not_a_file(root / path))
            elif (identity := _identity(entry.stat())) in above:
                yield ListedFile(path, _LOOP)
            else:
                pending.append((path, (*above, identity)))


def unhashable(root: Path) -> list[ListedFile]:
    """The files for which DVC cannot hash a folder, with reasons, sorted: bad links, pipes, names that are not UTF-8.

    DVC stops at the first of them (a pipe even hangs it), so the command line checks before it calls DVC. Hidden names count too.
    """
    return sorted((file for file in files_below(root, stray=True) if file.reason), key=lambda file: file.path)


def unfollowable_links(root: Path) -> list[str]:
    """The paths of links below `root` that lead nowhere, to themselves or to a folder that they lie in, sorted."""
    return [file.path for file in unhashable(root) if file.reason in (_NOWHERE, _SELF, _LOOP)]


def why_not_a_file(path: Path) -> str | None:
    """The reason why a path is no file that can be opened, as the end of a sentence; None if it can be opened."""
    try:
        state = path.stat()
    except FileNotFoundError:
        return _NOWHERE if path.is_symlink() else "does not exist"
    except OSError as error:
        return _SELF if error.errno == errno.ELOOP else f"cannot be opened ({error.strerror})"
    except ValueError as error:  # a zero byte in the name
        return f"cannot be opened ({error})"
    if stat.S_ISDIR(state.st_mode):
        return "is a folder"
    return None if stat.S_ISREG(state.st_mode) else _SPECIAL


def printable(path: str) -> str:
    """A path as text that can be written as UTF-8; other bytes appear as `\\xff`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _identity(state: os.stat_result) -> tuple[int, int]:
    return state.st_dev, state.st_ino
