"""Predictions: a model's answer for each test example beside its label, in a file with one row an example."""

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
from thaw.targets.target import BoolArray, Target, TargetName, target_named, target_of_targets

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
SCHEMA_OF_SETS = pa.schema(
    [
        pa.field("digest", pa.binary(DIGEST_SIZE), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("labels", pa.list_(pa.string()), nullable=False),
        pa.field("predicted", pa.list_(pa.string()), nullable=False),
        pa.field("probabilities", pa.list_(pa.float32()), nullable=False),
    ]
)
GROUP = pa.field("group", pa.int64(), nullable=False)
"""The last column, where rows have groups: a number of each row's group, not its name."""
TRIGGER: TargetName = "trigger"
"""The target whose predictions have the form of another's."""
EVALUATE_AGAIN = "run `thaw run --stage evaluate` to make it again"


@dataclass(frozen=True)
class Predictions:
    """Row i is the example `digests[i]` at `paths[i]`.

    targets: int64 [N], indices into `class_names`, or bool [N, C], the classes that a row shows. probabilities: float32 [N, C], calibrated; with one label a
    row sums to 1. decided: bool [N, C], the named classes; None with one label: the most probable class is named. target_name: None: the form of the targets
    tells it. groups: int64 [N], rows of a group, such as the examples of a patient, are not independent; None: each row is its own.
    """

    class_names: tuple[str, ...]
    digests: tuple[bytes, ...]
    paths: tuple[str, ...]
    targets: "IntArray | BoolArray"
    probabilities: NDArray[np.float32]
    decided: BoolArray | None = None
    target_name: TargetName | None = None
    groups: IntArray | None = None

    def __len__(self) -> int:
        return len(self.digests)

    @property
    def target(self) -> Target:
        """The target of the labels."""
        return target_of_targets(self.targets) if self.target_name is None else target_named(self.target_name)

    @property
    def classes(self) -> IntArray:
        """The class of each row, int64 [N]; for one label."""
        return np.asarray(self.targets, np.int64)

    @property
    def shown(self) -> BoolArray:
        """The true classes of each row, bool [N, C]."""
        if self.target.exclusive:
            return _one_hot(self.classes, len(self.class_names))
        return np.asarray(self.targets, np.bool_)

    @property
    def named(self) -> BoolArray:
        """The classes that the model names, bool [N, C]."""
        return _one_hot(self.predicted, len(self.class_names)) if self.decided is None else self.decided

    @property
    def predicted(self) -> IntArray:
        """The most probable class of each row, int64 [N]."""
        return np.asarray(self.probabilities.argmax(1), np.int64)

    @property
    def confidences(self) -> NDArray[np.float32]:
        """The probability of the most probable class, float32 [N]."""
        return np.asarray(self.probabilities.max(1), np.float32)

    def names(self, row: BoolArray) -> tuple[str, ...]:
        """A row of `shown` or `named` as names."""
        return tuple(self.class_names[place] for place in np.flatnonzero(row))


def write_predictions(predictions: Predictions, path: Path) -> None:
    """Write Parquet of `SCHEMA`, or of `SCHEMA_OF_SETS`, atomically, with `GROUP` where rows have groups.

    The metadata `class_names` has the order of the probabilities, and `target` the target where the form of the targets does not tell it.
    """
    schema, answers = _answers(predictions)
    columns = [
        pa.array(predictions.digests, pa.binary(DIGEST_SIZE)),
        pa.array(predictions.paths, pa.string()),
        *answers,
        pa.array(list(predictions.probabilities), pa.list_(pa.float32())),
    ]
    if predictions.groups is not None:
        schema, columns = schema.append(GROUP), [*columns, pa.array(predictions.groups, pa.int64())]
    stated = {"class_names": json.dumps(predictions.class_names)}
    stated |= {} if predictions.target_name is None else {"target": predictions.target_name}
    table = pa.table(columns, schema=schema.with_metadata(stated))
    with atomic(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_predictions(path: Path) -> Predictions:
    """Read predictions of `write_predictions`.

    Raises:
        BadArtifact: the file is missing, not Parquet, or of another schema.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise BadArtifact(f"{path} cannot be read ({error}); {EVALUATE_AGAIN}") from error
    stated = (table.schema.metadata or {}).get(b"class_names")
    sets, grouped = SCHEMA_OF_SETS.names[2] in table.column_names, GROUP.name in table.column_names
    schema = SCHEMA_OF_SETS if sets else SCHEMA
    if stated is None or not table.schema.equals(schema.append(GROUP) if grouped else schema):
        raise BadArtifact(f"{path} holds no predictions of this version; {EVALUATE_AGAIN}")
    names = tuple(json.loads(stated))
    flat = table["probabilities"].combine_chunks().flatten().to_numpy()
    return Predictions(
        class_names=names,
        digests=tuple(table["digest"].to_pylist()),
        paths=tuple(table["path"].to_pylist()),
        targets=_sets_of(table["labels"], names) if sets else _classes_of(table["label"], names),
        probabilities=np.array(flat).reshape(table.num_rows, len(names)),  # Arrow's memory may not be written to
        decided=_sets_of(table["predicted"], names) if sets else None,
        target_name=TRIGGER if table.schema.metadata.get(b"target") == TRIGGER.encode() else None,
        groups=table[GROUP.name].to_numpy() if grouped else None,
    )


def _answers(predictions: Predictions) -> tuple[pa.Schema, list[pa.Array]]:
    """The schema, and its columns between the path and the probabilities."""
    names = predictions.class_names
    if not predictions.target.exclusive:
        kind = pa.list_(pa.string())
        sides = (predictions.shown, predictions.named)
        return SCHEMA_OF_SETS, [pa.array([list(predictions.names(row)) for row in side], kind) for side in sides]
    labels = [
        pa.array([names[place] for place in side], pa.string()) for side in (predictions.classes, predictions.predicted)
    ]
    return SCHEMA, [*labels, pa.array(predictions.confidences, pa.float32())]


def _classes_of(column: pa.ChunkedArray, names: tuple[str, ...]) -> IntArray:
    position = {name: place for place, name in enumerate(names)}
    return np.array([position[label] for label in column.to_pylist()], np.int64)


def _sets_of(column: pa.ChunkedArray, names: tuple[str, ...]) -> BoolArray:
    position = {name: place for place, name in enumerate(names)}
    sets = np.zeros((len(column), len(names)), np.bool_)
    for row, labels in enumerate(column.to_pylist()):
        sets[row, [position[name] for name in labels]] = True
    return sets


def _one_hot(classes: IntArray, count: int) -> BoolArray:
    """int64 [N] as bool [N, C]."""
    return np.asarray(np.eye(count, dtype=np.bool_)[classes])
