"""The examples to score, as a stream: folders, globs, tables and single files, on this machine or at any address that fsspec knows.

Only tables are opened here. The names have the same order each time. In memory are at most the names of one folder, all names of
a glob, or some rows of a table.
"""

import glob
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any

from fsspec.implementations.local import LocalFileSystem
from fsspec.utils import glob_translate

from thaw.dataset.places import TEXT
from thaw.foundation.errors import BadSource
from thaw.foundation.files.walking import files_below, is_stray, printable, why_not_a_file
from thaw.models.scoring.listed import tabled_inputs
from thaw.models.scoring.names import Input, local_input, remote_input
from thaw.models.scoring.places import TextFile, answering, file_system, is_of_this_machine, is_url
from thaw.models.scoring.taken import Taken

_Source = Callable[[], Iterator[Input]]


@dataclass(frozen=True)
class Inputs:
    """The sources that were named; each iteration lists them anew."""

    names: tuple[str, ...]
    sources: tuple[_Source, ...]
    taken: Taken

    def __iter__(self) -> Iterator[Input]:
        """Every example.

        Raises:
            BadSource: a source holds no files, or cannot be read.
            Unreachable: the place of a source does not answer.
        """
        for name, source in zip(self.names, self.sources, strict=True):
            empty = True
            for entry in source():
                empty = False
                yield _decoding(entry, self.taken.encoding)
            if empty:
                raise BadSource(
                    f"`{name}` {'matches no file' if glob.has_magic(name) else 'holds no files'}; {self.taken.advice}"
                )


def open_inputs(names: Sequence[str], taken: Taken = Taken()) -> Inputs:  # noqa: B008  # frozen
    """Find all sources before any work; relative paths are relative to the working directory.

    Raises:
        BadSource: a source does not exist or cannot be read, or none is named.
        Unreachable: the place of a source does not answer.
    """
    if not names:
        raise BadSource(f"no examples to score are named; {taken.advice}")
    return Inputs(tuple(names), tuple(_open(name, taken) for name in names), taken)


def _decoding(entry: Input, encoding: str | None) -> Input:
    if encoding is None or entry.place is None or not entry.path.endswith(TEXT):
        return entry
    return replace(entry, place=TextFile(entry.place, encoding), stamp=f"{entry.stamp} {encoding}")


def _open(name: str, taken: Taken) -> _Source:
    if not is_url(name):
        return _open_local(Path(name).absolute(), name, taken)
    files, path = file_system(name)
    return _open_local(Path(path), name, taken) if is_of_this_machine(files) else _open_remote(files, path, name, taken)


def _open_local(path: Path, name: str, taken: Taken) -> _Source:
    if path.is_dir():
        return partial(_in_folder, path)
    why = why_not_a_file(path)
    if why and glob.has_magic(str(path)):
        return partial(_matching, str(path))
    if why:
        raise BadSource(f"`{name}` {why}; {taken.advice}")
    return tabled_inputs(LocalFileSystem(), str(path), taken) or partial(iter, (local_input(path),))


def _in_folder(root: Path) -> Iterator[Input]:
    for file in files_below(root):
        path = root / file.path
        yield local_input(path) if file.reason is None else Input(printable(str(path)), None, "", file.reason)


def _matching(pattern: str) -> Iterator[Input]:
    if "**" in pattern:
        yield from _matching_below(pattern)
        return
    for match in sorted(glob.iglob(pattern)):  # noqa: PTH207  # Path.glob takes no absolute patterns
        path = Path(match)
        why = why_not_a_file(path)
        if path.is_dir():
            yield from _in_folder(path)
        else:
            yield local_input(path) if why is None else Input(printable(str(path)), None, "", why)


def _matching_below(pattern: str) -> Iterator[Input]:
    """The files of a pattern with `**`; Python's own glob would follow a loop of links until the system stops it."""
    whole = re.compile(glob_translate(pattern))
    base = Path(*takewhile(lambda part: not glob.has_magic(part), Path(pattern).parts))
    for entry in _in_folder(base) if base.is_dir() else ():
        if whole.match(entry.path):
            yield entry


def _open_remote(files: Any, path: str, name: str, taken: Taken) -> _Source:
    with answering(name):
        files.invalidate_cache()
        if glob.has_magic(path) and not files.exists(path):
            return partial(_matching_remote, files, path, name)
        info = files.info(path)
        if info["type"] == "directory":
            return partial(_below, files, path.rstrip("/"), name)
    return tabled_inputs(files, path, taken) or partial(iter, (remote_input(files, path, info),))


def _below(files: Any, root: str, name: str) -> Iterator[Input]:
    with answering(name):
        for _, folders, entries in files.walk(root, detail=True, on_error="raise"):
            for stray in [entry for entry in folders if is_stray(entry)]:
                del folders[stray]
            for entry in sorted(entries):
                if entry and not is_stray(entry):
                    yield remote_input(files, entries[entry]["name"], entries[entry])


def _matching_remote(files: Any, pattern: str, name: str) -> Iterator[Input]:
    with answering(name):
        matches = files.glob(pattern, detail=True)
    for path in sorted(matches):
        if matches[path]["type"] != "directory":
            yield remote_input(files, path, matches[path])
        elif "**" not in pattern:
            yield from _below(files, path, name)
