"""What is to be scored, as a stream: folders, globs, listings and single files, of this machine or at any address that fsspec knows.

Nothing is opened here but listings. Names come in the same order each time, and one folder's at most are held at once; those of a glob all are.
"""

import glob
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import Any

from fsspec.implementations.local import LocalFileSystem
from fsspec.utils import glob_translate

from thaw.foundation.errors import BadSource
from thaw.foundation.files.walking import files_below, is_stray, printable, why_not_a_file
from thaw.models.scoring.listed import is_listing, listed_inputs
from thaw.models.scoring.names import Input, local_input, remote_input
from thaw.models.scoring.places import answering, file_system, is_of_this_machine, is_url

_Source = Callable[[], Iterator[Input]]
_WHAT = "name images, folders, globs, listings (CSV or Parquet with a column path) or addresses"


@dataclass(frozen=True)
class Inputs:
    """Sources that have been found; each iteration lists them anew."""

    names: tuple[str, ...]
    sources: tuple[_Source, ...]

    def __iter__(self) -> Iterator[Input]:
        """Every image.

        Raises:
            BadSource: a source turns out to hold nothing, or cannot be read.
            Unreachable: its place does not answer.
        """
        for name, source in zip(self.names, self.sources, strict=True):
            empty = True
            for one in source():
                empty = False
                yield one
            if empty:
                raise BadSource(f"`{name}` {'matches no file' if glob.has_magic(name) else 'holds no files'}; {_WHAT}")


def open_inputs(names: Sequence[str]) -> Inputs:
    """Find the sources, all of them, before any work; relative paths are relative to the working directory.

    Raises:
        BadSource: one does not exist, or cannot be read; or none is named.
        Unreachable: its place does not answer.
    """
    if not names:
        raise BadSource(f"nothing to score is named; {_WHAT}")
    return Inputs(tuple(names), tuple(_open(name) for name in names))


def _open(name: str) -> _Source:
    if not is_url(name):
        return _open_local(Path(name).absolute(), name)
    files, path = file_system(name)
    return _open_local(Path(path), name) if is_of_this_machine(files) else _open_remote(files, path, name)


def _open_local(path: Path, name: str) -> _Source:
    if path.is_dir():
        return partial(_in_folder, path)
    why = why_not_a_file(path)
    if why and glob.has_magic(str(path)):
        return partial(_matching, str(path))
    if why:
        raise BadSource(f"`{name}` {why}; {_WHAT}")
    if is_listing(path.name):
        return partial(listed_inputs, LocalFileSystem(), str(path))
    return partial(iter, (local_input(path),))


def _in_folder(root: Path) -> Iterator[Input]:
    for found in files_below(root):
        path = root / found.path
        yield local_input(path) if found.reason is None else Input(printable(str(path)), None, "", found.reason)


def _matching(pattern: str) -> Iterator[Input]:
    if "**" in pattern:
        yield from _matching_below(pattern)
        return
    for match in sorted(glob.iglob(pattern)):  # noqa: PTH207  # Path.glob takes no absolute ones
        path = Path(match)
        why = why_not_a_file(path)
        if path.is_dir():
            yield from _in_folder(path)
        else:
            yield local_input(path) if why is None else Input(printable(str(path)), None, "", why)


def _matching_below(pattern: str) -> Iterator[Input]:
    """Of a pattern with `**`; Python's own would go around a loop of links until the system stops it."""
    whole = re.compile(glob_translate(pattern))
    base = Path(*takewhile(lambda part: not glob.has_magic(part), Path(pattern).parts))
    for one in _in_folder(base) if base.is_dir() else ():
        if whole.match(one.path):
            yield one


def _open_remote(files: Any, path: str, name: str) -> _Source:
    with answering(name):
        files.invalidate_cache()
        if glob.has_magic(path) and not files.exists(path):
            return partial(_matching_remote, files, path, name)
        told = files.info(path)
    if told["type"] == "directory":
        return partial(_below, files, path.rstrip("/"), name)
    if is_listing(PurePosixPath(path).name):
        return partial(listed_inputs, files, path)
    return partial(iter, (remote_input(files, path, told),))


def _below(files: Any, root: str, name: str) -> Iterator[Input]:
    with answering(name):
        for _, folders, found in files.walk(root, detail=True, on_error="raise"):
            for stray in [one for one in folders if is_stray(one)]:
                del folders[stray]
            for one in sorted(found):
                if one and not is_stray(one):
                    yield remote_input(files, found[one]["name"], found[one])


def _matching_remote(files: Any, pattern: str, name: str) -> Iterator[Input]:
    with answering(name):
        found = files.glob(pattern, detail=True)
    for path in sorted(found):
        if found[path]["type"] != "directory":
            yield remote_input(files, path, found[path])
        elif "**" not in pattern:
            yield from _below(files, path, name)
