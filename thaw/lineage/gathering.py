"""The search for the examples of a manifest in a folder that may have changed since: by their bytes, at any path of the folder."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from thaw.dataset.manifest import Example, Manifest
from thaw.dataset.places import ROW, PiecePlace, Place, Places, RowPlace, TextFile
from thaw.foundation.files.atomic import digest_bytes, digest_file
from thaw.foundation.files.walking import files_below
from thaw.foundation.parallel.progress import Progress, untold


@dataclass(frozen=True)
class Gathered:
    """The result of the search. files: a file with the right bytes for each path of the manifest, if there is one; rows
    have the path of their table, and pieces that of their recording.

    Paths whose bytes are nowhere in the folder, sorted: `changed` paths hold other bytes now, `gone` paths hold no file.
    """

    files: Mapping[str, Path]
    changed: tuple[str, ...]
    gone: tuple[str, ...]

    @property
    def complete(self) -> bool:
        return not self.changed and not self.gone


def find_examples(manifest: Manifest, places: Places, progress: Progress = untold) -> Gathered:
    """Look for each example at its path first, and for the others by their digest among all files of the folder."""
    files: dict[str, Path] = {}
    astray: list[Example] = []
    examples = manifest.examples()
    for number, example in enumerate(examples, start=1):
        place = places.at(example.path)
        if not _holds(place, example):
            astray.append(example)
        else:
            files[_path_of_file(place, example)] = _file(place)
        progress(number, len(examples))
    files |= _elsewhere(astray, places.source)
    missing = sorted(example.path for example in astray if example.path not in files)
    changed = tuple(path for path in missing if _file(places.at(path)).is_file())
    return Gathered(files, changed, tuple(path for path in missing if path not in changed))


def link_examples(gathered: Gathered, into: Path) -> None:
    """Make a link to each file, below `into` at its path in the manifest; to a table or a recording once for all its examples."""
    for path, file in gathered.files.items():
        (into / path).parent.mkdir(parents=True, exist_ok=True)
        (into / path).symlink_to(file.resolve())


def _holds(place: Place, example: Example) -> bool:
    if isinstance(place, Path):
        return place.is_file() and place.stat().st_size == example.size and digest_file(place) == example.digest
    try:
        return digest_bytes(place.read_bytes()) == example.digest
    except OSError:
        return False


def _path_of_file(place: Place, example: Example) -> str:
    """The path, relative to the source, of the file that holds an example."""
    match place:
        case RowPlace():
            return example.path.rpartition(ROW)[0]
        case PiecePlace():
            return place.piece.file
        case _:
            return example.path


def _file(place: Place) -> Path:
    """The file that holds an example."""
    match place:
        case RowPlace():
            return place.table
        case TextFile():
            return place.path
        case PiecePlace():
            return place.file
        case _:
            return place


def _elsewhere(astray: list[Example], folder: Path) -> Iterator[tuple[str, Path]]:
    """The files of the missing examples, as (path in the manifest, file); only files of the right size are hashed."""
    wanted: dict[bytes, list[str]] = defaultdict(list)
    for example in astray:
        wanted[example.digest].append(example.path)
    sizes = {example.size for example in astray}
    if not astray or not folder.is_dir():
        return
    for file in files_below(folder):
        path = folder / file.path
        if file.reason is None and path.stat().st_size in sizes:
            for missing in wanted.pop(digest_file(path), ()):
                yield missing, path
