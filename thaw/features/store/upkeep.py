"""The feature store as a thing to look after: what is in it, what is damaged, and what nobody needs."""

import json
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from thaw.features.store.store import FeatureStore, Layer, check_part_rows, is_of_the_system
from thaw.foundation.errors import BadArtifact
from thaw.kinds.kind import IDENTITY

UNFINISHED = ".tmp-*"
DAMAGED = "*.damaged"


@dataclass(frozen=True)
class CachedLayer:
    """The features of one cut layer under one fingerprint; `engines` are those that filled it, `pooling` is empty where there was nothing to pool."""

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
    """Files that nobody needs, and their size in bytes."""

    paths: tuple[Path, ...]
    nbytes: int


def joined(one: Garbage, other: Garbage) -> Garbage:
    """Both."""
    return Garbage((*one.paths, *other.paths), one.nbytes + other.nbytes)


@dataclass(frozen=True)
class Checked:
    """How many parts were looked at, and where the damaged ones lie now."""

    parts: int
    damaged: tuple[Path, ...]


def cached_layers(store: FeatureStore) -> tuple[CachedLayer, ...]:
    """What the store holds, by fingerprint and layer; reads the headers of the parts alone.

    Raises:
        BadArtifact: a part's header is damaged.
    """
    return tuple(_describe(folder) for folder in _folders(store))


def verify(store: FeatureStore) -> Checked:
    """Check every part against its checksums, and set aside what is damaged."""
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
    """Parts without a digest that is needed, parts that were set aside as damaged, and leftovers of writers that were killed.

    needed: the digests that the current manifest wants, by fingerprint and layer. Nothing is deleted. Call it while no run is under way: a writer's
    unfinished file would look like a leftover.
    """
    found = []
    for path in sorted(path for path in store.root.glob("*/*/*") if path.is_file()):
        wanted = needed.get((path.parent.parent.name, path.parent.name), frozenset())
        if path.match("part-*.parquet") and wanted and not wanted.isdisjoint(_digests(path)):
            continue
        if path.match("part-*.parquet") or path.match(DAMAGED) or path.match(UNFINISHED):
            found.append(path)
    return Garbage(tuple(found), sum(path.stat().st_size for path in found))


def _digests(part: Path) -> list[bytes]:
    with _readable(part):
        found: list[bytes] = pq.read_table(part, columns=["digest"])["digest"].to_pylist()
    return found


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
    """Delete the files, and the folders that are empty then; one that is gone already is no error."""
    for path in garbage.paths:
        path.unlink(missing_ok=True)
    for folder in {path.parent for path in garbage.paths}:
        for empty in (folder, folder.parent):
            if empty.is_dir() and not any(empty.iterdir()):
                empty.rmdir()


def compact(store: FeatureStore, layer: Layer, part_rows: int) -> int:
    """Write parts of fewer than `part_rows` rows again as few full ones; returns how many fewer parts there are.

    Only parts that were made in the same way are joined, so that what they say of it stays true. Damaged ones are set aside before: what is written
    again gets new checksums. The new parts are whole before an old one goes: a kill in between leaves rows twice, which readers do not mind.
    """
    check_part_rows(layer, part_rows)
    store.set_aside_damaged(layer.fingerprint, layer.name)
    alike: dict[str, list[Path]] = {}
    for part in store.parts(layer):
        if pq.read_metadata(part).num_rows < part_rows:
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
    """How a part was made, without what the store itself says of every part, and without what was measured once for it alone."""
    return {
        key: value
        for key, value in stated.items()
        if key not in {"dtype", "dim", "layer", "view", "layout", "ARROW:schema"} and not key.startswith("trial ")
    }
