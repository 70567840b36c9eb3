"""One image that is to be scored, not yet opened."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thaw.foundation.files.walking import printable
from thaw.models.scoring.places import LocalFile, RemoteFile, stamp_of


@dataclass(frozen=True)
class Input:
    """path: what it is called in the table. place: None where it cannot be opened; then `reason` says why, as the rest of a sentence.
    stamp: text that changes when the file does, as far as that is known without asking for each file by itself.
    """

    path: str
    place: LocalFile | RemoteFile | None
    stamp: str = ""
    reason: str = ""


def local_input(path: Path, name: str | None = None) -> Input:
    """A file of this machine, called by its path unless a name is given."""
    file = LocalFile(path)
    return Input(printable(str(path)) if name is None else name, file, file.stamp())


def remote_input(files: Any, path: str, told: Mapping[str, Any]) -> Input:
    """A file at another place, called by its address; told: what its file system says of it."""
    return Input(files.unstrip_protocol(path), RemoteFile(files, path, told.get("size")), stamp_of(told))
