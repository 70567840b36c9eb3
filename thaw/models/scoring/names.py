"""One example to score, before it is opened."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thaw.foundation.files.walking import printable
from thaw.models.scoring.places import LocalFile, Place, RemoteFile, stamp_of


@dataclass(frozen=True)
class Input:
    """An example to score. path: its name in the table. place: None if it cannot be opened; then `reason` says why, as the end of a sentence.

    stamp: a text that changes with the example: of a file as far as a listing of its folder shows it, of a row with its text.
    """

    path: str
    place: Place | None
    stamp: str = ""
    reason: str = ""

    @property
    def held(self) -> int:
        """The bytes of the example that are in memory already."""
        return 0 if self.place is None else self.place.held


def local_input(path: Path, name: str | None = None) -> Input:
    """A file of this machine; its path is its name unless another is given."""
    file = LocalFile(path)
    return Input(printable(str(path)) if name is None else name, file, file.stamp())


def remote_input(files: Any, path: str, info: Mapping[str, Any]) -> Input:
    """A file at another place; its address is its name. info: the file system's information about it."""
    return Input(files.unstrip_protocol(path), RemoteFile(files, path, info.get("size")), stamp_of(info))
