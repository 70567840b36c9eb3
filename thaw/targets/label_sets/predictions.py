"""Predictions of label sets: what a model says of each test image, with its labels; one row an image, a file of its own."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from thaw.foundation.errors import BadArtifact
from thaw.foundation.files.atomic import DIGEST_SIZE, atomic
from thaw.targets.label_sets.metrics import BoolArray
from thaw.targets.predictions import EVALUATE_AGAIN, Predictions, read_predictions

SCHEMA = pa.schema(
    [
        pa.field("digest", pa.binary(DIGEST_SIZE), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("labels", pa.list_(pa.string()), nullable=False),
        pa.field("predicted", pa.list_(pa.string()), nullable=False),
        pa.field("probabilities", pa.list_(pa.float32()), nullable=False),
    ]
)


@dataclass(frozen=True)
class LabelSetPredictions:
    """Row i is the image `digests[i]` at `paths[i]`.

    targets: bool [N, C], the classes that it shows; named: bool [N, C], those that the model names; probabilities: float32 [N, C], calibrated, each by itself.
    """

    class_names: tuple[str, ...]
    digests: tuple[bytes, ...]
    paths: tuple[str, ...]
    targets: BoolArray
    named: BoolArray
    probabilities: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.digests)

    def names(self, row: BoolArray) -> tuple[str, ...]:
        """A row of `targets` or `named` as names."""
        return tuple(self.class_names[place] for place in np.flatnonzero(row))


def write_label_set_predictions(predictions: LabelSetPredictions, path: Path) -> None:
    """Write Parquet of `SCHEMA`, atomically; the order of the probabilities stands in the metadata `class_names`."""
    names = pa.list_(pa.string())
    columns = [
        pa.array(predictions.digests, pa.binary(DIGEST_SIZE)),
        pa.array(predictions.paths, pa.string()),
        pa.array([list(predictions.names(row)) for row in predictions.targets], names),
        pa.array([list(predictions.names(row)) for row in predictions.named], names),
        pa.array(list(predictions.probabilities), pa.list_(pa.float32())),
    ]
    schema = SCHEMA.with_metadata({"class_names": json.dumps(predictions.class_names)})
    with atomic(path) as temporary:
        pq.write_table(pa.table(columns, schema=schema), temporary, compression="zstd")


def read_any_predictions(path: Path) -> Predictions | LabelSetPredictions:
    """Read what `write_label_set_predictions` or `thaw.targets.predictions.write_predictions` wrote.

    Raises:
        BadArtifact: the file is missing, not Parquet, or of another schema.
    """
    try:
        schema = pq.read_schema(path)
    except (OSError, pa.ArrowInvalid):
        return read_predictions(path)  # which says what is wrong
    stated = (schema.metadata or {}).get(b"class_names")
    if stated is None or not schema.equals(SCHEMA):
        return read_predictions(path)
    return _read(path, tuple(json.loads(stated)))


def _read(path: Path, names: tuple[str, ...]) -> LabelSetPredictions:
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise BadArtifact(f"{path} cannot be read ({error}); {EVALUATE_AGAIN}") from error
    number = {name: place for place, name in enumerate(names)}

    def sets(column: str) -> BoolArray:
        found = np.zeros((table.num_rows, len(names)), np.bool_)
        for row, labels in enumerate(table[column].to_pylist()):
            found[row, [number[name] for name in labels]] = True
        return found

    flat = table["probabilities"].combine_chunks().flatten().to_numpy()
    return LabelSetPredictions(
        class_names=names,
        digests=tuple(table["digest"].to_pylist()),
        paths=tuple(table["path"].to_pylist()),
        targets=sets("labels"),
        named=sets("predicted"),
        probabilities=flat.reshape(table.num_rows, len(names)),
    )
