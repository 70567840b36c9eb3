"""Examples brought into memory ahead of those who decode them, each held no longer than that takes."""

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
"""Threads that read: an object store answers after tens of milliseconds, whatever it is asked for."""
AHEAD = 2 * FETCHERS
"""Examples that are being read, or wait to be decoded."""
BATCH_BYTES = 32 * 2**20
"""A batch ends once its files are as large as this together: the bound on memory where files are large."""


@dataclass(frozen=True, eq=False)
class Held:
    """An example file in memory, read like a path."""

    name: str
    content: bytes

    def read_bytes(self) -> bytes:
        return self.content

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, eq=False)
class Fetched:
    """An input once its bytes were asked for: `held` and `digest` are None where they could not be had, and `reason` says why."""

    path: str
    held: Held | None
    digest: bytes | None
    reason: str


def fetch(inputs: Iterable[Input], refuse_size: RefuseSize) -> Iterator[Fetched]:
    """Read inputs by threads, in order, no more than `AHEAD` of them at once.

    Raises:
        Unreachable: the place of one does not answer.
    """
    for _, fetched in map_ahead(partial(_fetch, refuse_size), inputs, workers=FETCHERS, depth=AHEAD):
        yield fetched


def _fetch(refuse_size: RefuseSize, one: Input) -> Fetched:
    if one.place is None:
        return Fetched(one.path, None, None, one.reason)
    try:
        content = one.place.read(refuse_size)
    except BadExample as error:
        return Fetched(one.path, None, None, str(error))
    return Fetched(one.path, Held(one.path, content), digest_bytes(content), "")


def batched(images: Iterable[tuple[bytes, Held]], size: int) -> Iterator[Sequence[Reference]]:
    """Examples in groups of `size`, or fewer where they are large."""
    batch: list[Reference] = []
    nbytes = 0
    for digest, held in images:
        batch.append((digest, held))
        nbytes += len(held.content)
        if len(batch) == size or nbytes >= BATCH_BYTES:
            yield batch
            batch, nbytes = [], 0
    if batch:
        yield batch
