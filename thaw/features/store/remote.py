"""The parts of a store at another place as well: any address that fsspec knows, such as `s3://bucket/features`, or a folder that machines share.

Parts are immutable and named after what is in them, so two places only ever copy to each other what the other lacks.
"""

import errno
import logging
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from thaw.features.store.store import FeatureStore, Layer, is_sound
from thaw.foundation.errors import BadParameters, Unreachable
from thaw.foundation.files.atomic import atomic

log = logging.getLogger(__name__)

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
"""What is wrong with this machine's disk, and not with the place."""


class _DamagedThereError(Exception):
    """A part came that is not sound."""


class Mirror:
    """A place for parts, laid out as the store itself: `URL/FINGERPRINT/LAYER/part-NAME.parquet`."""

    _fs: Any

    def __init__(self, url: str) -> None:
        """Raises BadParameters: no such kind of address, or its library is not installed."""
        try:
            place: tuple[Any, str] = fsspec.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise BadParameters(f"extract.store: {url} cannot be used ({error})") from error
        self._fs, self._root = place
        self._is_folder = isinstance(self._fs, LocalFileSystem)
        self.url = self._root if self._is_folder else url
        """A folder's is absolute: whoever is told of it may work elsewhere."""

    def names(self, layer: Layer) -> list[str]:
        """The names of the parts that are there, sorted; one listing."""
        with self._explained():
            self._fs.invalidate_cache()
            found: list[str] = self._fs.glob(f"{self._folder(layer)}/part-*.parquet")
        return sorted(Path(path).name for path in found)

    def has(self, layer: Layer, name: str) -> bool:
        """Whether that part is there."""
        with self._explained():
            return bool(self._fs.exists(f"{self._folder(layer)}/{name}"))

    def put(self, layer: Layer, part: Path) -> None:
        """Copy a part there; it is seen whole or not at all."""
        target = f"{self._folder(layer)}/{part.name}"
        with self._explained():
            if not self._is_folder:
                self._fs.put_file(str(part), target)  # object stores show an object when it is complete
                return
            self._fs.makedirs(self._folder(layer), exist_ok=True)
            unfinished = f"{self._folder(layer)}/.tmp-{uuid.uuid4().hex}"
            self._fs.put_file(str(part), unfinished)
            self._fs.mv(unfinished, target)

    def pull(self, store: FeatureStore, layer: Layer, names: Sequence[str] | None = None) -> int:
        """Copy parts here that the store lacks (of `names`, or all); returns how many came.

        One that is damaged there does not come: it is renamed to `*.damaged`, so that another can take its place.
        """
        wanted = self.names(layer) if names is None else names
        lacking = [name for name in wanted if not store.path(layer, name).exists()]
        return sum(self._fetch(store, layer, name) for name in lacking)

    def _fetch(self, store: FeatureStore, layer: Layer, name: str) -> bool:
        place = f"{self._folder(layer)}/{name}"
        try:
            with atomic(store.path(layer, name)) as temporary:
                with self._explained():
                    self._fs.get_file(place, str(temporary))
                if not is_sound(temporary, name):
                    raise _DamagedThereError
        except _DamagedThereError:
            log.warning("%s is damaged; set aside as %s.damaged, its features are computed again", place, name)
            with self._explained():
                self._fs.mv(place, f"{place}.damaged")
            return False
        return True

    def push(self, store: FeatureStore, layer: Layer) -> int:
        """Copy parts there that it lacks; returns how many went."""
        there = set(self.names(layer))
        lacking = [part for part in store.parts(layer) if part.name not in there]
        for part in lacking:
            self.put(layer, part)
        return len(lacking)

    def _folder(self, layer: Layer) -> str:
        return f"{self._root}/{layer.fingerprint}/{layer.name}"

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what the place's library raises into one sentence."""
        try:
            yield
        except (FileNotFoundError, PermissionError) as error:
            raise BadParameters(
                f"extract.store: {self.url} cannot be used ({error}); check the address and the rights"
            ) from error
        except Exception as error:
            if isinstance(error, OSError) and (self._is_folder or error.errno in _FULL):
                raise
            raise Unreachable(f"extract.store: {self.url} does not answer ({_first_line(error)})") from error


def _first_line(error: Any) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
