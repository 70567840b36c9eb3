"""The reference: features and answers of held-out examples, kept with each version in `report/reference.parquet`; new examples are compared with them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from thaw.dataset.manifest import TEST, Example
from thaw.drift.observed import Bools, Observed
from thaw.features.store.store import Layer
from thaw.foundation.errors import BadArtifact
from thaw.foundation.files.atomic import DIGEST_SIZE, atomic
from thaw.targets.predictions import EVALUATE_AGAIN

MOST_ROWS = 2000
"""The most rows of the reference and of a new batch; a test on more takes minutes, and finds differences that are too small to matter."""


@dataclass(frozen=True, eq=False)
class Reference:
    """Features and answers of held-out examples.

    layer: the features' layer in a store. unseen: bool [N], the examples of the test split. The others are of validation, where choices were made: answers for
    them may be too good, so only their features count.
    """

    layer: Layer
    class_names: tuple[str, ...]
    rows: Observed
    unseen: Bools


def held_out(test: Sequence[Example], val: Sequence[Example]) -> tuple[Example, ...]:
    """The examples of a reference: each content once, the test split first, at most `MOST_ROWS`, chosen by the order of their digests."""
    first = {example.digest: example for example in sorted(test, key=lambda example: example.digest)}
    others = {
        example.digest: example
        for example in sorted(val, key=lambda example: example.digest)
        if example.digest not in first
    }
    return (*first.values(), *others.values())[:MOST_ROWS]


def reference_of(layer: Layer, class_names: tuple[str, ...], examples: Sequence[Example], rows: Observed) -> Reference:
    """The reference of `examples`, which `held_out` chose; row i of `rows` is `examples[i]`."""
    return Reference(layer, class_names, rows, np.array([example.split == TEST for example in examples], np.bool_))


def schema_of(reference: Reference) -> pa.Schema:
    """The columns `digest`, `unseen`, `named` (a list of classes), `confidence`, `accepted`, `known_score`, and `feature` (dim x float32, little endian); the
    other fields stand in the metadata."""
    layer = reference.layer
    stated = {
        "format": "thaw.reference/1",
        "class_names": json.dumps(reference.class_names),
        "fingerprint": layer.fingerprint,
        "layer": layer.name,
        "dim": str(layer.dim),
    }
    fields = [
        pa.field("digest", pa.binary(DIGEST_SIZE), nullable=False),
        pa.field("unseen", pa.bool_(), nullable=False),
        pa.field("named", pa.list_(pa.string()), nullable=False),
        pa.field("confidence", pa.float32()),
        pa.field("accepted", pa.bool_()),
        pa.field("known_score", pa.float32()),
        pa.field("feature", pa.binary(4 * layer.dim), nullable=False),
    ]
    return pa.schema(fields, stated)


def write_reference(reference: Reference, path: Path) -> None:
    """Write Parquet of `schema_of`, atomically."""
    schema, rows, names = schema_of(reference), reference.rows, reference.class_names
    count = len(rows)
    features = pa.py_buffer(np.ascontiguousarray(rows.features, "<f4"))
    nothing = [None] * count
    columns = [
        pa.array(rows.digests, schema.field("digest").type),
        pa.array(reference.unseen),
        pa.array([[names[place] for place in np.flatnonzero(row)] for row in rows.named], pa.list_(pa.string())),
        pa.array(nothing if rows.confidences is None else rows.confidences, pa.float32()),
        pa.array(nothing if rows.accepted is None else rows.accepted, pa.bool_()),
        pa.array(nothing if rows.known_scores is None else rows.known_scores, pa.float32()),
        pa.FixedSizeBinaryArray.from_buffers(schema.field("feature").type, count, [None, features]),
    ]
    with atomic(path) as temporary:
        pq.write_table(pa.table(columns, schema=schema), temporary, compression="zstd")


def read_reference(path: Path) -> Reference:
    """Read what `write_reference` wrote.

    Raises:
        BadArtifact: the file is missing, torn, or of another version.
    """
    try:
        table = pq.read_table(path)
        stated = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
        layer = Layer(stated["fingerprint"], stated["layer"], int(stated["dim"]))
        names = tuple(json.loads(stated["class_names"]))
        rows = Observed(
            digests=tuple(table["digest"].to_pylist()),
            features=_features(table["feature"].combine_chunks(), layer.dim),
            named=named_of(table["named"].to_pylist(), names),
            confidences=column_of(table, "confidence", np.float32),
            accepted=column_of(table, "accepted", np.bool_),
            known_scores=column_of(table, "known_score", np.float32),
        )
        return Reference(layer, names, rows, np.asarray(table["unseen"].to_numpy(), np.bool_))
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise BadArtifact(f"{path} cannot be read as a reference ({error}); {EVALUATE_AGAIN}") from error


def named_of(sets: Sequence[Sequence[str]], class_names: Sequence[str]) -> Bools:
    """Lists of names as bool [N, C]; raises KeyError for a name that is no class."""
    place = {name: number for number, name in enumerate(class_names)}
    named = np.zeros((len(sets), len(class_names)), np.bool_)
    for row, names in enumerate(sets):
        named[row, [place[name] for name in names]] = True
    return named


def column_of(table: pa.Table, name: str, dtype: type[np.generic]) -> "np.ndarray[tuple[int], np.dtype[Any]] | None":
    """A column without nulls as an array [N]; None if it holds nothing but nulls."""
    column = table[name]
    return None if column.null_count == len(column) else np.asarray(column.to_numpy(), dtype)


def _features(column: pa.FixedSizeBinaryArray, dim: int) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    width = 4 * dim
    block = np.frombuffer(column.buffers()[1], np.uint8)[column.offset * width :][: len(column) * width]
    return block.view("<f4").reshape(len(column), dim)
