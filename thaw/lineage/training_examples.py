"""The file of the examples that a model was trained on: after the label budget, and without held-out and contradictory copies."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from thaw.dataset.manifest import Manifest
from thaw.dataset.selection import training_examples
from thaw.foundation.errors import BadArtifact
from thaw.foundation.files.atomic import DIGEST_SIZE, atomic

SCHEMA = pa.schema(
    [
        pa.field("digest", pa.binary(DIGEST_SIZE), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("labels", pa.list_(pa.string()), nullable=False),
    ]
)


@dataclass(frozen=True)
class TrainingExample:
    """One example: BLAKE3 of its bytes (32 bytes), its path relative to the source (POSIX), and every label that it was trained with."""

    digest: bytes
    path: str
    labels: tuple[str, ...]


def list_training_examples(manifest: Manifest, labels_per_class: int | None) -> tuple[TrainingExample, ...]:
    """The examples that a head or a network learns from, sorted by path; see `thaw.dataset.selection.training_examples`."""
    rows = training_examples(manifest, labels_per_class)
    return tuple(TrainingExample(row.digest, row.path, row.names or ()) for row in rows)


def write_training_examples(examples: Iterable[TrainingExample], path: Path) -> None:
    """Write Parquet of `SCHEMA`, atomically."""
    rows = [{"digest": row.digest, "path": row.path, "labels": list(row.labels)} for row in examples]
    with atomic(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), temporary, compression="zstd")


def read_training_examples(path: Path) -> tuple[TrainingExample, ...]:
    """Read what `write_training_examples` wrote.

    Raises:
        BadArtifact: the file is missing, not Parquet, or of another schema.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise BadArtifact(f"{path} cannot be read ({error}); restore it in the model's MLflow run") from error
    if not table.schema.equals(SCHEMA):
        raise BadArtifact(
            f"{path} is no list of training examples of this version of Thaw; use the version that wrote it"
        )
    return tuple(TrainingExample(row["digest"], row["path"], tuple(row["labels"])) for row in table.to_pylist())
