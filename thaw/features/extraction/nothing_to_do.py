"""Whether an extraction has anything to do, told from the sizes and times of files before any library that computes is loaded.

After each run a record says what it saw. It is a shortcut and no truth: where it is missing or anything differs, the extraction itself decides.
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
    """What a run saw before it began: what is replaced while it runs is another run's.

    asked: the parameters as text; made: `made_with` and Thaw's own code; inputs by path.
    """

    asked: str
    made: dict[str, str]
    inputs: dict[str, SeenFile]


@dataclass(frozen=True)
class Settled:
    """A run that ended with nothing left to do; parts by path."""

    beginning: Beginning
    parts: dict[str, SeenFile]
    index: FeatureIndex


_ADAPTER = TypeAdapter(Settled)


def look(asked: str, inputs: Sequence[Path]) -> Beginning:
    """See what an extraction begins with; `inputs` are the files that it reads beside the images, those that there are."""
    return Beginning(asked, _made(), _seen(path for path in inputs if path.exists()))


def record_settled(record: Path, beginning: Beginning, store: FeatureStore, index: FeatureIndex) -> None:
    """Write the record of a run that ended, atomically."""
    parts = (part for layer in index.layers for part in store.parts(layer))
    write_bytes(record, _ADAPTER.dump_json(Settled(beginning, _seen(parts), index)))


def settled_index(record: Path, asked: str, inputs: Sequence[Path]) -> FeatureIndex | None:
    """The index of the last run, if another with these parameters and inputs would find nothing to do; else None.

    Sizes and times are looked at first, digests only where a time differs; parts that other runs have added since do not matter.
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
    """The libraries' versions, and a digest of this package: who works on Thaw itself changes no version."""
    files = sorted(Path(__file__).parents[2].rglob("*.py"))
    return made_with() | {"code": blake3(b"".join(file.read_bytes() for file in files)).hexdigest()}


def _seen(paths: Iterable[Path]) -> dict[str, SeenFile]:
    found = {}
    for path in paths:
        stat = path.stat()
        found[str(path)] = SeenFile(stat.st_size, stat.st_mtime_ns, digest_file(path).hex())
    return found


def _is_same(path: Path, seen: SeenFile) -> bool:
    try:
        stat = path.stat()
        if stat.st_size != seen.size:
            return False
        return stat.st_mtime_ns == seen.mtime_ns or digest_file(path).hex() == seen.digest
    except OSError:
        return False
