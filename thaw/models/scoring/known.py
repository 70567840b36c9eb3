"""A fast index of one layer's features in some stores: each store is opened once, and a row costs 16 bytes of memory."""

import logging
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

from thaw.features.store.environment import made_with
from thaw.features.store.store import FeatureStore, Layer, Part, is_of_the_system, is_sound, open_part
from thaw.foundation.errors import BadArtifact
from thaw.foundation.files.atomic import DIGEST_SIZE

log = logging.getLogger(__name__)

_OPEN = 64
"""The number of parts whose digests are in memory at once."""
_ROW_BITS = 32
Keys = NDArray[np.uint64]
Places = NDArray[np.int64]


class Known:
    """The index: the features that the stores had at its making, and those that were added since; for use by one thread.

    A digest is searched by its first 8 bytes, which are sorted, and compared as a whole in its part. A part is checked against its checksums before its first
    row is used; a damaged part counts as missing.
    """

    def __init__(self, layer: Layer, stores: Sequence[FeatureStore]) -> None:
        self.layer = layer
        self._parts: list[Path] = []
        self._stated: set[tuple[tuple[str, str], ...]] = set()
        self._usable: dict[int, bool] = {}
        self._open: OrderedDict[int, tuple[Part, NDArray[np.uint8]]] = OrderedDict()
        pairs = [self._rows_of(path) for store in stores for path in store.parts(layer)]
        keys = np.concatenate([np.empty(0, np.uint64), *(keys for keys, _ in pairs)])
        places = np.concatenate([np.empty(0, np.int64), *(places for _, places in pairs)])
        order = np.argsort(keys, kind="stable")
        self._keys, self._places = keys[order], places[order]

    @property
    def stated(self) -> list[dict[str, str]]:
        """The environments that the parts were made in, each once."""
        return [dict(entry) for entry in sorted(self._stated)]

    def has(self, digest: bytes) -> bool:
        """Whether the stores have an example's features."""
        return self._find(digest) is not None

    def add(self, path: Path) -> None:
        """Add a part that was written since."""
        keys, places = self._rows_of(path)
        order = np.argsort(keys)
        at = np.searchsorted(self._keys, keys[order])
        self._keys = np.insert(self._keys, at, keys[order])
        self._places = np.insert(self._places, at, places[order])

    def read(self, digests: Sequence[bytes]) -> torch.Tensor:
        """The features of examples, in their order: float32 [N, dim].

        Raises:
            BadArtifact: the stores do not have those of some example, or no longer.
        """
        out = np.empty((len(digests), self.layer.dim), np.float32)
        by_part: dict[int, list[tuple[int, int]]] = {}
        for target, digest in enumerate(digests):
            place = self._find(digest)
            if place is None:
                raise BadArtifact(f"cached features of {self.layer.name} are gone or damaged; run it again")
            by_part.setdefault(place >> _ROW_BITS, []).append((target, place & (2**_ROW_BITS - 1)))
        for number, pairs in by_part.items():
            targets, rows = np.array(pairs).T
            out[targets] = self._opened(number)[0].features()[rows]
        return torch.from_numpy(out)

    def _find(self, digest: bytes) -> int | None:
        """The place of a digest's row: the part's number and the row in it."""
        key = np.frombuffer(digest[:8], np.uint64)[0]
        place = int(np.searchsorted(self._keys, key))
        while place < len(self._keys) and self._keys[place] == key:
            candidate = int(self._places[place])
            if self._holds(candidate >> _ROW_BITS, candidate & (2**_ROW_BITS - 1), digest):
                return candidate
            place += 1
        return None

    def _holds(self, number: int, row: int, digest: bytes) -> bool:
        if number not in self._usable:
            path = self._parts[number]
            self._usable[number] = path.exists() and is_sound(path, path.name)
            if not self._usable[number]:
                log.warning("%s is damaged; its features are not used", path)
        return self._usable[number] and self._opened(number)[1][row].tobytes() == digest

    def _opened(self, number: int) -> tuple[Part, NDArray[np.uint8]]:
        if number not in self._open:
            part = open_part(self._parts[number])
            self._open[number] = part, _bytes_of(part.digests)
            if len(self._open) > _OPEN:
                self._open.popitem(last=False)
        self._open.move_to_end(number)
        return self._open[number]

    def _rows_of(self, path: Path) -> tuple[Keys, Places]:
        """The keys and places of a part's rows; none if it is damaged."""
        number = len(self._parts)
        self._parts.append(path)
        try:
            digests = _bytes_of(open_part(path).digests)
            self._stated.add(_made_with(path))
        except (OSError, pa.ArrowException, KeyError, ValueError) as error:
            if is_of_the_system(error) and not isinstance(error, FileNotFoundError):
                raise
            log.warning("%s is damaged (%s); its features are not used", path, error)
            digests = np.empty((0, DIGEST_SIZE), np.uint8)
        keys = np.ascontiguousarray(digests[:, :8]).view(np.uint64).reshape(-1)
        return keys, (number << _ROW_BITS) + np.arange(len(digests), dtype=np.int64)


def _made_with(path: Path) -> tuple[tuple[str, str], ...]:
    stated = pq.read_schema(path).metadata or {}
    return tuple((name, stated[name.encode()].decode()) for name in made_with() if name.encode() in stated)


def _bytes_of(digests: pa.Array) -> NDArray[np.uint8]:
    """uint8 [N, 32]."""
    start = digests.offset * DIGEST_SIZE
    return np.frombuffer(digests.buffers()[1], np.uint8)[start : start + len(digests) * DIGEST_SIZE].reshape(
        -1, DIGEST_SIZE
    )
