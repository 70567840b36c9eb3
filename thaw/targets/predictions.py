"""Predictions: what a model says of each test image, with the label; one row an image, a file of its own."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from thaw.foundation.errors import BadArtifact
from thaw.foundation.files.atomic import DIGEST_SIZE, atomic
from thaw.foundation.statistics.bootstrap import IntArray

SCHEMA = pa.schema(
    [
        pa.field("digest", pa.binary(DIGEST_SIZE), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field("predicted", pa.string(), nullable=False),
        pa.field("confidence", pa.float32(), nullable=False),
        pa.field("probabilities", pa.list_(pa.float32()), nullable=False),
    ]
)
EVALUATE_AGAIN = "run `thaw run --stage evaluate` to make it again"


@dataclass(frozen=True)
class Predictions:
    """Row i is the image `digests[i]` at `paths[i]`.

    targets: int64 [N], indices into `class_names`; probabilities: float32 [N, C], calibrated, a row sums to 1.
    """

    class_names: tuple[str, ...]
    digests: tuple[bytes, ...]
    paths: tuple[str, ...]
    targets: IntArray
    probabilities: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.digests)

    @property
    def predicted(self) -> IntArray:
        """The most probable class of each row, int64 [N]."""
        return np.asarray(self.probabilities.argmax(1), np.int64)

    @property
    def confidences(self) -> NDArray[np.float32]:
        """The probability of the predicted class, float32 [N]."""
        return np.asarray(self.probabilities.max(1), np.float32)


def write_predictions(predictions: Predictions, path: Path) -> None:
    """Write Parquet of `SCHEMA`, atomically; the order of the probabilities stands in the metadata `class_names`."""
    names = predictions.class_names
    columns = [
        pa.array(predictions.digests, pa.binary(DIGEST_SIZE)),
        pa.array(predictions.paths, pa.string()),
        pa.array([names[target] for target in predictions.targets], pa.string()),
        pa.array([names[target] for target in predictions.predicted], pa.string()),
        pa.array(predictions.confidences, pa.float32()),
        pa.array(list(predictions.probabilities), pa.list_(pa.float32())),
    ]
    schema = SCHEMA.with_metadata({"class_names": json.dumps(names)})
    with atomic(path) as temporary:
        pq.write_table(pa.table(columns, schema=schema), temporary, compression="zstd")


def read_predictions(path: Path) -> Predictions:
    """Read what `write_predictions` wrote.

    Raises:
        BadArtifact: the file is missing, not Parquet, or of another schema.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise BadArtifact(f"{path} cannot be read ({error}); {EVALUATE_AGAIN}") from error
    stated = (table.schema.metadata or {}).get(b"class_names")
    if stated is None or not table.schema.equals(SCHEMA):
        raise BadArtifact(f"{path} holds no predictions of this version; {EVALUATE_AGAIN}")
    names = tuple(json.loads(stated))
    position = {name: i for i, name in enumerate(names)}
    flat = table["probabilities"].combine_chunks().flatten().to_numpy()
    return Predictions(
        class_names=names,
        digests=tuple(table["digest"].to_pylist()),
        paths=tuple(table["path"].to_pylist()),
        targets=np.array([position[label] for label in table["label"].to_pylist()], np.int64),
        probabilities=flat.reshape(table.num_rows, len(names)),
    )
