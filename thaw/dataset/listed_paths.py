"""The paths in a listing: the files that they name, and the nearest file for a path that names none."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.parse import unquote, urlsplit

from thaw.foundation.files.walking import files_below, why_not_a_file

_URL = "://"


def refuse_path(path: str) -> str | None:
    """The reason why a listing may not name a path, as the end of a sentence, before a look at the disk; None: it may."""
    if PurePosixPath(path).is_absolute() or PureWindowsPath(path).drive or path.startswith("~"):
        return "is an absolute path; write it relative to the source"
    if ".." in PurePosixPath(path).parts or ".." in PureWindowsPath(path).parts:
        return "leads out of the source by `..`"
    return None


@dataclass(frozen=True)
class ListedPaths:
    """The files of a source, as a listing names them. listing: the listing's own path relative to `root`."""

    root: Path
    listing: str

    def find(self, written: str) -> str | None:
        """The path, relative to the source, of the file that is meant; None: there is none.

        A path may also be relative to the listing's own folder, or be written as on Windows.
        """
        if refuse_path(written):
            return None
        own = PurePosixPath(self.listing).parent
        readings = (written, PureWindowsPath(written).as_posix()) if "\\" in written else (written,)
        for path in readings:
            for folder in dict.fromkeys((PurePosixPath(), own)):
                joined = str(folder / PurePosixPath(path))
                if not refuse_path(joined) and why_not_a_file(self.root / joined) is None:
                    return joined
        return None

    def why_not(self, written: str) -> str:
        """The reason why a path names no file, as the end of a sentence, with the nearest file that exists."""
        nearest = self.nearest(written)
        if _URL in written:
            where = f"such as `{nearest}`" if nearest else "after downloading it into the source"
            return f"is an address; write the path of the file inside the source, {where}"
        why = refuse_path(written) or why_not_a_file(self.root / PurePosixPath(written)) or "does not exist"
        if nearest is None or "`..`" in why:
            return why
        return f"{why}; the nearest file is `{nearest}`"

    def nearest(self, written: str) -> str | None:
        """The file that the path most likely means: of the same name, else of the same name without the ending, else of a similar name; None: none is near."""
        parts = _parts(written)
        if not parts:
            return None
        name, stem = parts[-1].casefold(), PurePosixPath(parts[-1]).stem.casefold()
        for found in (self._by_name.get(name), self._by_stem.get(name), self._by_stem.get(stem), self._by_end(stem)):
            if found:
                return max(found, key=lambda path: (_shared(parts, path), -len(path), path))
        close = get_close_matches(name, self._by_name, n=1, cutoff=0.85) if len(self._by_name) <= _SEARCHED else []
        return self._by_name[close[0]][0] if close else None

    def _by_end(self, stem: str) -> list[str]:
        """Files whose stem is the end of a longer name, as in `6e9f8f4a-photo`, which a labelling tool wrote for `photo`."""
        rest = stem.partition("-")[2]
        return self._by_stem.get(rest, []) if rest else []

    @cached_property
    def _files(self) -> list[str]:
        return sorted(file.path for file in files_below(self.root) if file.reason is None and file.path != self.listing)

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        return _keyed(self._files, lambda path: PurePosixPath(path).name)

    @cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        return _keyed(self._files, lambda path: PurePosixPath(path).stem)


_SEARCHED = 5_000
"""The most names among which a similar one is searched."""


def _keyed(files: list[str], key: Callable[[str], str]) -> dict[str, list[str]]:
    keyed: dict[str, list[str]] = defaultdict(list)
    for path in files:
        keyed[key(path).casefold()].append(path)
    return dict(keyed)


def _parts(written: str) -> tuple[str, ...]:
    path = unquote(urlsplit(written).path) if _URL in written else written
    return PureWindowsPath(path).parts


def _shared(parts: tuple[str, ...], path: str) -> int:
    """The number of folders at the end of both paths that are the same."""
    own, other = parts[-2::-1], PurePosixPath(path).parts[-2::-1]
    return next(
        (count for count, pair in enumerate(zip(own, other, strict=False)) if pair[0] != pair[1]),
        min(len(own), len(other)),
    )
