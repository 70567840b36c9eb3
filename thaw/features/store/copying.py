"""Copies of features from another store of this machine: scored examples that are labelled later cost no forward pass."""

from collections.abc import Set as AbstractSet
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch

from thaw.features.store.store import FeatureStore, Layer, Part, is_of_the_system, is_sound, open_part


def borrow(store: FeatureStore, lender: FeatureStore, layer: Layer, wanted: AbstractSet[bytes]) -> int:
    """Copy the features of the `wanted` examples that the lender has, each once; returns how many.

    A part's record of its making goes with its rows. The lender is not changed; its damaged parts are skipped.
    """
    left = set(wanted)
    for path in lender.parts(layer) if left else ():
        part = _open_sound(path, left)
        if part is None:
            continue
        digests: list[bytes] = part.digests.to_pylist()
        rows = [row for row, digest in enumerate(digests) if digest in left]
        features = torch.from_numpy(part.features()[rows])
        store.write(layer, [digests[row] for row in rows], features, _stated(path))
        left.difference_update(digests)
    return len(wanted) - len(left)


def _open_sound(path: Path, wanted: AbstractSet[bytes]) -> Part | None:
    """A part that has some of the examples; None if it has none, or is damaged."""
    try:
        part = open_part(path)
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        if is_of_the_system(error):
            raise
        return None
    return part if not wanted.isdisjoint(part.digests.to_pylist()) and is_sound(path, path.name) else None


def _stated(path: Path) -> dict[str, str]:
    return {key.decode(): value.decode() for key, value in (pq.read_schema(path).metadata or {}).items()}
