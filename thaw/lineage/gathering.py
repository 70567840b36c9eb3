"""Finding the very images of a manifest in a folder that may have changed since: by their bytes, wherever they lie there now."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from thaw.dataset.manifest import Example, Manifest
from thaw.foundation.files.atomic import digest_file
from thaw.foundation.files.walking import files_below
from thaw.foundation.parallel.progress import Progress, untold


@dataclass(frozen=True)
class Gathered:
    """`found`: a file with the right bytes for each path of the manifest; `changed`: paths that hold other bytes now, and these bytes are
    nowhere; `gone`: paths that hold nothing now, and neither does another. Both sorted."""

    found: Mapping[str, Path]
    changed: tuple[str, ...]
    gone: tuple[str, ...]

    @property
    def complete(self) -> bool:
        return not self.changed and not self.gone


def find_images(manifest: Manifest, folder: Path, progress: Progress = untold) -> Gathered:
    """Look for each image at its path first; what is not there by its digest among all files of the folder."""
    found: dict[str, Path] = {}
    astray: list[Example] = []
    examples = manifest.examples()
    for number, one in enumerate(examples, start=1):
        if _holds(folder / one.path, one):
            found[one.path] = folder / one.path
        else:
            astray.append(one)
        progress(number, len(examples))
    found |= _elsewhere(astray, folder)
    missing = sorted(one.path for one in astray if one.path not in found)
    changed = tuple(path for path in missing if (folder / path).is_file())
    return Gathered(found, changed, tuple(path for path in missing if path not in changed))


def link_images(gathered: Gathered, into: Path) -> None:
    """Lay the images out as the manifest has them, as links to where they are."""
    for path, file in gathered.found.items():
        (into / path).parent.mkdir(parents=True, exist_ok=True)
        (into / path).symlink_to(file.resolve())


def _holds(path: Path, one: Example) -> bool:
    return path.is_file() and path.stat().st_size == one.size and digest_file(path) == one.digest


def _elsewhere(astray: list[Example], folder: Path) -> Iterator[tuple[str, Path]]:
    """Files of the right size are hashed, no others."""
    wanted: dict[bytes, list[str]] = defaultdict(list)
    for one in astray:
        wanted[one.digest].append(one.path)
    sizes = {one.size for one in astray}
    if not astray or not folder.is_dir():
        return
    for file in files_below(folder):
        path = folder / file.path
        if file.reason is None and path.stat().st_size in sizes:
            for missing in wanted.pop(digest_file(path), ()):
                yield missing, path
