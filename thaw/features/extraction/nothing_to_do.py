"""The shortcut of an extraction without work: sizes and times of files show it before any numerical library is loaded.

Each run writes a record of the files that it saw. If the record is missing or anything differs, the extraction itself decides.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3
from pydantic import TypeAdapter, ValidationError

from thaw.features.store.environment import made_with
from thaw.features.store.store import FeatureIndex, FeatureStore
from thaw.foundation.files.atomic import digest_file, write_bytes

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SeenFile:
    """A file at the time of the record: bytes, nanoseconds, BLAKE3 in hex."""

    size: int
    mtime_ns: int
    digest: str


@dataclass(frozen=True)
class Beginning:
    """The inputs of a run, seen before it began: a file that is replaced during the run counts as changed, and the next run extracts it.

    asked: the parameters as text. made: `made_with` and Thaw's own code. inputs: by path.
    """

    asked: str
    made: dict[str, str]
    inputs: dict[str, SeenFile]


@dataclass(frozen=True)
class Settled:
    """A finished run with all features in the store; parts by path."""

    beginning: Beginning
    parts: dict[str, SeenFile]
    index: FeatureIndex


_ADAPTER = TypeAdapter(Settled)


def look(asked: str, inputs: Sequence[Path]) -> Beginning:
    """The inputs of an extraction before it begins; `inputs` are its files beside the examples, and missing ones are left out."""
    return Beginning(asked, _made(), _seen(path for path in inputs if path.exists()))


def record_settled(record: Path, beginning: Beginning, store: FeatureStore, index: FeatureIndex) -> None:
    """Write the record of a finished run, atomically."""
    parts = (part for layer in index.stored for part in store.parts(layer))
    write_bytes(record, _ADAPTER.dump_json(Settled(beginning, _seen(parts), index)))


def settled_index(record: Path, asked: str, inputs: Sequence[Path]) -> FeatureIndex | None:
    """The index of the last run, if a run with these parameters and inputs would have no work; else None.

    Sizes and times are compared first, digests only if a time differs. Parts that other runs have added since do not matter.
    """
    try:
        last = _ADAPTER.validate_json(record.read_bytes())
    except (OSError, ValidationError):
        return None
    then = last.beginning
    if (then.asked, then.made) != (asked, _made()) or set(then.inputs) != {str(path) for path in inputs}:
        return None
    for name, seen in (then.inputs | last.parts).items():
        if not _is_same(Path(name), seen):
            log.info("%s changed since the last extraction", name)
            return None
    return last.index


def _made() -> dict[str, str]:
    """The libraries' versions and a digest of this package, because a developer of Thaw changes its code without a new version."""
    files = sorted(Path(__file__).parents[2].rglob("*.py"))
    return made_with() | {"code": blake3(b"".join(file.read_bytes() for file in files)).hexdigest()}


def _seen(paths: Iterable[Path]) -> dict[str, SeenFile]:
    files = {}
    for path in paths:
        stat = path.stat()
        files[str(path)] = SeenFile(stat.st_size, stat.st_mtime_ns, digest_file(path).hex())
    return files


def _is_same(path: Path, seen: SeenFile) -> bool:
    try:
        stat = path.stat()
        if stat.st_size != seen.size:
            return False
        return stat.st_mtime_ns == seen.mtime_ns or digest_file(path).hex() == seen.digest
    except OSError:
        return False
