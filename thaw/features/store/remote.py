"""A second place for the parts of a store: any address that fsspec knows, such as `s3://bucket/features`, or a folder that machines share.

Parts are immutable and named after their content, so two places only copy the parts that the other lacks.
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
"""The errors of this machine's disk, and not of the place."""


class _DamagedThereError(Exception):
    """The part that was copied is damaged."""


class Mirror:
    """A place for parts, with the layout of the store: `URL/FINGERPRINT/LAYER/part-NAME.parquet`."""

    _fs: Any

    def __init__(self, url: str) -> None:
        """Raises BadParameters: there is no such kind of address, or its library is not installed."""
        try:
            place: tuple[Any, str] = fsspec.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise BadParameters(f"extract.store: {url} cannot be used ({error})") from error
        self._fs, self._root = place
        self._is_folder = isinstance(self._fs, LocalFileSystem)
        self.url = self._root if self._is_folder else url
        """The address of a folder is absolute, because its reader may have another working directory."""

    def names(self, layer: Layer) -> list[str]:
        """The names of the place's parts, sorted, by one listing."""
        with self._explained():
            self._fs.invalidate_cache()
            paths: list[str] = self._fs.glob(f"{self._folder(layer)}/part-*.parquet")
        return sorted(Path(path).name for path in paths)

    def has(self, layer: Layer, name: str) -> bool:
        """Whether the place has that part."""
        with self._explained():
            return bool(self._fs.exists(f"{self._folder(layer)}/{name}"))

    def put(self, layer: Layer, part: Path) -> None:
        """Copy a part to the place; other machines see the whole part or none."""
        target = f"{self._folder(layer)}/{part.name}"
        with self._explained():
            if not self._is_folder:
                self._fs.put_file(str(part), target)  # an object store shows only complete objects
                return
            self._fs.makedirs(self._folder(layer), exist_ok=True)
            unfinished = f"{self._folder(layer)}/.tmp-{uuid.uuid4().hex}"
            self._fs.put_file(str(part), unfinished)
            self._fs.mv(unfinished, target)

    def pull(self, store: FeatureStore, layer: Layer, names: Sequence[str] | None = None) -> int:
        """Copy the parts that the store lacks (of `names`, or all) from the place; returns their number.

        A damaged part is not copied. It is renamed to `*.damaged` at the place, so that a sound part can replace it.
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
            log.warning("%s is damaged; it is now %s.damaged, and its features are computed again", place, name)
            with self._explained():
                self._fs.mv(place, f"{place}.damaged")
            return False
        return True

    def push(self, store: FeatureStore, layer: Layer) -> int:
        """Copy the parts that the place lacks to it; returns their number."""
        there = set(self.names(layer))
        lacking = [part for part in store.parts(layer) if part.name not in there]
        for part in lacking:
            self.put(layer, part)
        return len(lacking)

    def _folder(self, layer: Layer) -> str:
        return f"{self._root}/{layer.fingerprint}/{layer.name}"

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """A context that turns the errors of the place's library into one sentence."""
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
