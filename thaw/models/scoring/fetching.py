"""The reading of examples into memory ahead of their decoding; each stays in memory until it is decoded."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from thaw.foundation.errors import BadExample
from thaw.foundation.files.atomic import digest_bytes
from thaw.foundation.parallel.ordered_map import map_ahead
from thaw.kinds.kind import Reference
from thaw.models.scoring.names import Input
from thaw.models.scoring.places import RefuseSize

FETCHERS = 16
"""The number of threads that read; an object store takes tens of milliseconds for every answer."""
AHEAD = 2 * FETCHERS
"""The number of examples that are being read or wait to be decoded."""
BATCH_BYTES = 32 * 2**20
"""A batch ends when its files reach this size together; this bounds the memory for large files."""


@dataclass(frozen=True, eq=False)
class FileInMemory:
    """An example file in memory, read like a path."""

    name: str
    content: bytes

    def read_bytes(self) -> bytes:
        return self.content

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, eq=False)
class Fetched:
    """An input after its reading: `file` and `digest` are None if it could not be read, and `reason` says why."""

    path: str
    file: FileInMemory | None
    digest: bytes | None
    reason: str


def fetch(inputs: Iterable[Input], refuse_size: RefuseSize) -> Iterator[Fetched]:
    """Read inputs by threads, in order, at most `AHEAD` of them at once.

    Raises:
        Unreachable: the place of an input does not answer.
    """
    for _, fetched in map_ahead(partial(_fetch, refuse_size), inputs, workers=FETCHERS, depth=AHEAD):
        yield fetched


def _fetch(refuse_size: RefuseSize, entry: Input) -> Fetched:
    if entry.place is None:
        return Fetched(entry.path, None, None, entry.reason)
    try:
        content = entry.place.read(refuse_size)
    except BadExample as error:
        return Fetched(entry.path, None, None, str(error))
    return Fetched(entry.path, FileInMemory(entry.path, content), digest_bytes(content), "")


def batched(files: Iterable[tuple[bytes, FileInMemory]], size: int) -> Iterator[Sequence[Reference]]:
    """Examples in groups of `size`, or fewer if they are large."""
    batch: list[Reference] = []
    nbytes = 0
    for digest, file in files:
        batch.append((digest, file))
        nbytes += len(file.content)
        if len(batch) == size or nbytes >= BATCH_BYTES:
            yield batch
            batch, nbytes = [], 0
    if batch:
        yield batch
