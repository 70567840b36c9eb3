"""The feature store as a thing to look after: what is in it, what is damaged, and what nobody needs."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pyarrow.parquet as pq

from thaw.features import FeatureStore, Layer
from thaw.views import IDENTITY, View

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


def cached_layers(store: FeatureStore) -> tuple[CachedLayer, ...]:
    """What the store holds, by fingerprint and layer; reads the headers of the parts alone."""
    folders = sorted({path.parent for path in store.root.glob("*/*/part-*.parquet")})
    return tuple(_describe(folder) for folder in folders)


def _describe(folder: Path) -> CachedLayer:
    parts = sorted(folder.glob("part-*.parquet"))
    stated, rows, engines = {}, 0, set()
    for part in parts:
        schema = pq.read_schema(part)
        stated = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
        engines.add(stated.get("engine", "torch"))
        rows += pq.read_metadata(part).num_rows
    return CachedLayer(
        layer=Layer(folder.parent.name, folder.name, int(stated["dim"]), cast(View, stated.get("view", IDENTITY))),
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
    found: list[bytes] = pq.read_table(part, columns=["digest"])["digest"].to_pylist()
    return found


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

    The new parts are whole before an old one goes: a kill in between leaves rows twice, which readers do not mind.
    """
    folder = store.root / layer.fingerprint / layer.name
    small = [part for part in sorted(folder.glob("part-*.parquet")) if pq.read_metadata(part).num_rows < part_rows]
    if len(small) < 2:
        return 0
    held = dict.fromkeys(digest for part in small for digest in _digests(part))
    digests = list(held)
    stated = {key.decode(): value.decode() for key, value in (pq.read_schema(small[0]).metadata or {}).items()}
    written = set()
    for start in range(0, len(digests), part_rows):
        block = digests[start : start + part_rows]
        features = store.read(layer.fingerprint, layer.name, block)
        if stated["dtype"] == "float16":
            features = features.half()
        written.add(store.write(layer, block, features, _own(stated)))
    for part in small:
        if part not in written:
            part.unlink()
    return len(small) - len(written)


def _own(stated: Mapping[str, str]) -> dict[str, str]:
    """What the writer of a part said of it, without what the store itself says of every part."""
    return {
        key: value
        for key, value in stated.items()
        if key not in {"dtype", "dim", "layer", "view", "layout", "ARROW:schema"}
    }
