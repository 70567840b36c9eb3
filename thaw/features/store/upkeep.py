"""The upkeep of the feature store: its content, its damaged parts, and its unneeded files."""

import json
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from thaw.features.store.store import SEQUENCES, FeatureStore, Layer, check_part_rows, is_of_the_system
from thaw.foundation.errors import BadArtifact
from thaw.kinds.kind import IDENTITY

UNFINISHED = ".tmp-*"
DAMAGED = "*.damaged"


@dataclass(frozen=True)
class CachedLayer:
    """The features of one cut layer under one fingerprint. engines: those that computed them. pooling: empty if the layer is not pooled."""

    layer: Layer
    pooling: str
    architecture: str
    engines: tuple[str, ...]
    precision: str
    dtype: str
    parts: int
    rows: int
    nbytes: int


@dataclass(frozen=True)
class Garbage:
    """Unneeded files, and their size in bytes."""

    paths: tuple[Path, ...]
    nbytes: int


def joined(first: Garbage, second: Garbage) -> Garbage:
    """The files of both."""
    return Garbage((*first.paths, *second.paths), first.nbytes + second.nbytes)


@dataclass(frozen=True)
class Checked:
    """The number of checked parts, and the new paths of the damaged ones."""

    parts: int
    damaged: tuple[Path, ...]


def cached_layers(store: FeatureStore) -> tuple[CachedLayer, ...]:
    """The layers of the store, by fingerprint and name; only the headers of the parts are read.

    Raises:
        BadArtifact: a part's header is damaged.
    """
    return tuple(_describe(folder) for folder in _folders(store))


def verify(store: FeatureStore) -> Checked:
    """Check every part against its checksums, and set damaged parts aside."""
    folders = _folders(store)
    parts = sum(len(list(folder.glob("part-*.parquet"))) for folder in folders)
    damaged = (path for folder in folders for path in store.set_aside_damaged(folder.parent.name, folder.name))
    return Checked(parts, tuple(damaged))


def _folders(store: FeatureStore) -> list[Path]:
    return sorted({path.parent for path in store.root.glob("*/*/part-*.parquet")})


def _describe(folder: Path) -> CachedLayer:
    parts = sorted(folder.glob("part-*.parquet"))
    stated, rows, engines = {}, 0, set()
    for part in parts:
        with _readable(part):
            stated = _stated(part)
            rows += pq.read_metadata(part).num_rows
        engines.add(stated.get("engine", "torch"))
    return CachedLayer(
        layer=Layer(folder.parent.name, folder.name, int(stated["dim"]), stated.get("view", IDENTITY)),
        pooling=stated.get("pooling", ""),
        architecture=stated.get("architecture", ""),
        engines=tuple(sorted(engines)),
        precision=stated.get("precision", "float32"),
        dtype=stated["dtype"],
        parts=len(parts),
        rows=rows,
        nbytes=sum(part.stat().st_size for part in parts),
    )


def find_garbage(store: FeatureStore, needed: Mapping[tuple[str, str], AbstractSet[bytes]]) -> Garbage:
    """Parts without a needed digest, parts that were set aside as damaged, and leftovers of killed writers; no file is deleted.

    needed: the digests of the current manifest, by fingerprint and layer. No run may be active, because a writer's unfinished file would look like a leftover.
    """
    unneeded = []
    for path in sorted(path for path in store.root.glob("*/*/*") if path.is_file()):
        wanted = needed.get((path.parent.parent.name, path.parent.name), frozenset())
        if path.match("part-*.parquet") and wanted and not wanted.isdisjoint(_digests(path)):
            continue
        if path.match("part-*.parquet") or path.match(DAMAGED) or path.match(UNFINISHED):
            unneeded.append(path)
    return Garbage(tuple(unneeded), sum(path.stat().st_size for path in unneeded))


def _digests(part: Path) -> list[bytes]:
    with _readable(part):
        digests: list[bytes] = pq.read_table(part, columns=["digest"])["digest"].to_pylist()
    return digests


def _stated(part: Path) -> dict[str, str]:
    return {key.decode(): value.decode() for key, value in (pq.read_schema(part).metadata or {}).items()}


@contextmanager
def _readable(part: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        if is_of_the_system(error):
            raise
        raise BadArtifact(f"{part} is damaged ({error}); `thaw cache verify` sets it aside") from error


def delete(garbage: Garbage) -> None:
    """Delete the files, and the folders that become empty; a file that is already gone is no error."""
    for path in garbage.paths:
        path.unlink(missing_ok=True)
    for folder in {path.parent for path in garbage.paths}:
        for empty in (folder, folder.parent):
            if empty.is_dir() and not any(empty.iterdir()):
                empty.rmdir()


def compact(store: FeatureStore, layer: Layer, part_rows: int) -> int:
    """Join parts of fewer than `part_rows` rows to full ones; returns the decrease of the number of parts. Parts of sequences stay as they are.

    Only parts that were made in the same way are joined, so that their records stay true. Damaged parts are set aside first, because a rewrite would give them
    new checksums. The new parts are whole before an old part is deleted; a kill in between leaves some rows twice, which does no harm.
    """
    check_part_rows(layer, part_rows)
    store.set_aside_damaged(layer.fingerprint, layer.name)
    alike: dict[str, list[Path]] = {}
    for part in store.parts(layer):
        if pq.read_metadata(part).num_rows < part_rows and _stated(part).get("layout") != SEQUENCES:
            alike.setdefault(json.dumps(_own(_stated(part)), sort_keys=True), []).append(part)
    return sum(_join(store, layer, parts, part_rows) for parts in alike.values() if len(parts) > 1)


def _join(store: FeatureStore, layer: Layer, parts: list[Path], part_rows: int) -> int:
    digests = list(dict.fromkeys(digest for part in parts for digest in _digests(part)))
    stated = _stated(parts[0])
    written = set()
    for start in range(0, len(digests), part_rows):
        block = digests[start : start + part_rows]
        features = store.read(layer.fingerprint, layer.name, block)
        if stated["dtype"] == "float16":
            features = features.half()
        written.add(store.write(layer, block, features, _own(stated)))
    for part in parts:
        if part not in written:
            part.unlink()
    return len(parts) - len(written)


def _own(stated: Mapping[str, str]) -> dict[str, str]:
    """The record of how a part was made, without the store's own entries and without measurements of this part alone."""
    return {
        key: value
        for key, value in stated.items()
        if key not in {"dtype", "dim", "layer", "view", "layout", "ARROW:schema"} and not key.startswith("trial ")
    }
