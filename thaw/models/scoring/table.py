"""The table of scores: its schema, its metadata on the model, the writer of its parts and its reader."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from thaw.foundation.errors import BadArtifact
from thaw.foundation.files.atomic import DIGEST_SIZE, atomic
from thaw.models.prediction.answer import Answer

SCHEMA = pa.schema(
    [
        pa.field("path", pa.string(), nullable=False),
        pa.field("digest", pa.binary(DIGEST_SIZE)),
        pa.field("label", pa.string()),
        pa.field("labels", pa.list_(pa.string())),
        pa.field("confidence", pa.float32()),
        pa.field("known_score", pa.float32()),
        pa.field("probabilities", pa.list_(pa.float32())),
        pa.field("reason", pa.string(), nullable=False),
    ]
)
"""One row an example. `digest`: BLAKE3 of its bytes; null if they could not be read. `label` (null if the model names sets), `labels` (null if it names one
label), `confidence`, `known_score` (null if the model has no `neither`), `probabilities` (calibrated, in the order of `class_names` in the metadata): null if
the example could not be used. Then `reason` says why; otherwise it is empty.
"""
ANSWERS = ("label", "labels", "confidence", "known_score")
"""The columns of which a model fills some: see `Answer.columns`."""
SCORE_AGAIN = "run `thaw predict` again to make it"


@dataclass(frozen=True)
class ScoredBy:
    """The model of the scores. version: in the registry; empty if it is in none. fingerprint, layer, dim: of the features. scored_at: UTC, ISO 8601."""

    model: str
    version: str
    fingerprint: str
    layer: str
    dim: int
    class_names: tuple[str, ...]
    scored_at: str = ""


@dataclass(frozen=True)
class Row:
    """An example before its scoring. digest: None if its bytes could not be read. reason: empty if it can be used."""

    path: str
    digest: bytes | None
    reason: str


def build_table(rows: Sequence[Row], answer: Answer | None) -> pa.Table:
    """Rows of `SCHEMA`. answer: the answer for the usable rows, in their order; None if there are none."""
    usable = np.array([not row.reason for row in rows], np.bool_)
    answers = {} if answer is None else answer.columns
    columns = [
        pa.array([row.path for row in rows], pa.string()),
        pa.array([row.digest for row in rows], pa.binary(DIGEST_SIZE)),
        *(_spread(answers.get(name), usable, SCHEMA.field(name).type) for name in ANSWERS),
        _spread_lists(None if answer is None else answer.probabilities, usable),
        pa.array([row.reason for row in rows], pa.string()),
    ]
    return pa.table(columns, schema=SCHEMA)


def _spread(values: Sequence[Any] | NDArray[Any] | None, usable: NDArray[np.bool_], kind: pa.DataType) -> pa.Array:
    """One value for each usable row, null for the others; values None: null for all."""
    if values is None:
        return pa.nulls(len(usable), kind)
    places = pa.array(np.cumsum(usable) - 1, mask=~usable)
    return pa.array(values, kind).take(places)


def _spread_lists(values: NDArray[np.float32] | None, usable: NDArray[np.bool_]) -> pa.Array:
    """float32 [usable, C] as a list for each row. With objects of Python, a thousand classes would take longer than the network."""
    if values is None:
        return pa.nulls(len(usable), pa.list_(pa.float32()))
    offsets = np.concatenate([[0], np.cumsum(usable * values.shape[1])]).astype(np.int32)
    flat = pa.array(np.ascontiguousarray(values).reshape(-1), pa.float32())
    return pa.ListArray.from_arrays(pa.array(offsets), flat, mask=pa.array(~usable))


def write_part(table: pa.Table, path: Path) -> None:
    """Write some rows, atomically."""
    with atomic(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)


def read_part(path: Path) -> pa.Table:
    """Read what `write_part` wrote.

    Raises:
        BadArtifact: the part is gone or damaged; it is removed, so that another run makes it again.
    """
    try:
        table = pq.read_table(path, page_checksum_verification=True)
    except (OSError, pa.ArrowException) as error:
        path.unlink(missing_ok=True)
        raise BadArtifact(f"{path} is gone or damaged ({error}); {SCORE_AGAIN} again") from error
    return table


def write_scores(tables: Iterator[pa.Table], by: ScoredBy, path: Path) -> None:
    """Write the whole table, a row group for each of `tables`, atomically; one of them is in memory at a time."""
    metadata = {name: json.dumps(value) if name == "class_names" else str(value) for name, value in asdict(by).items()}
    with (
        atomic(path) as temporary,
        pq.ParquetWriter(
            temporary, SCHEMA.with_metadata(metadata), compression="zstd", write_page_checksum=True
        ) as writer,
    ):
        for table in tables:
            writer.write_table(table)


def read_scored_by(path: Path) -> ScoredBy:
    """The model of a table of scores.

    Raises:
        BadArtifact: the table is missing, or is no table of scores of this version.
    """
    try:
        schema = pq.read_schema(path)
        stated = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
        names = tuple(json.loads(stated["class_names"]))
        by = ScoredBy(
            stated["model"],
            stated["version"],
            stated["fingerprint"],
            stated["layer"],
            int(stated["dim"]),
            names,
            stated["scored_at"],
        )
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise BadArtifact(f"{path} cannot be read as a table of scores ({error}); {SCORE_AGAIN}") from error
    if not schema.equals(SCHEMA):
        raise BadArtifact(f"{path} holds no scores of this version; {SCORE_AGAIN}")
    return by


def read_scores(path: Path, columns: Sequence[str] = tuple(SCHEMA.names), rows: int = 4096) -> Iterator[pa.RecordBatch]:
    """The rows in batches.

    Raises:
        BadArtifact: see `read_scored_by`.
    """
    read_scored_by(path)
    with pq.ParquetFile(path) as file:
        yield from file.iter_batches(rows, columns=list(columns))
