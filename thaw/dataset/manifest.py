"""The manifest: one row an example, sorted by path; the same bytes give the same file, byte for byte.

If examples have sets of labels, the file has one more column, `labels`, and `label` is null in every row. So the format for single labels does not change, and
a reader that knows only single labels sees unlabelled rows and never a wrong label.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from thaw.dataset.label_sets import join_labels
from thaw.foundation.errors import BadArtifact
from thaw.foundation.files.atomic import DIGEST_SIZE, atomic
from thaw.kinds.kind import Kind
from thaw.kinds.registry import UNSTATED, kind_named

TRAIN, VAL, TEST = "train", "val", "test"
SPLITS = (TRAIN, VAL, TEST)
TRIGGER = "trigger"
"""The target of a manifest with triggers."""
_KIND, _DECODING, _TARGET = b"kind", b"decoding", b"target"

SCHEMA = pa.schema(
    [
        pa.field("digest", pa.binary(DIGEST_SIZE), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("label", pa.dictionary(pa.int32(), pa.string())),
        pa.field("split", pa.dictionary(pa.int8(), pa.string()), nullable=False),
        pa.field("group", pa.string()),
        pa.field("shape", pa.list_(pa.int32()), nullable=False),
        pa.field("size", pa.int64(), nullable=False),
    ]
)

LABELS = pa.field("labels", pa.list_(pa.string()))
"""The column of a manifest of label sets: sorted names, each once. An empty list means that the example shows no class, null that it is unlabelled."""
SCHEMA_OF_SETS = SCHEMA.append(LABELS)


@dataclass(frozen=True)
class Example:
    """One row of the manifest.

    `digest` is BLAKE3 of the bytes (32 bytes); `path` is relative to the source, POSIX; `label` None means unlabelled;
    examples with the same `group` share a split; `shape` is what the kind says of it, such as (height, width, channels); `size` is
    in bytes. `labels` stands in the place of `label` where an example has a set of them: sorted, each once; None means unlabelled, too.
    """

    digest: bytes
    path: str
    label: str | None
    split: str
    group: str | None
    shape: tuple[int, ...]
    size: int
    labels: tuple[str, ...] | None = None

    @property
    def names(self) -> tuple[str, ...] | None:
        """All labels of the example, one or a set; None: it is unlabelled."""
        return self.labels if self.label is None else (self.label,)

    @property
    def written(self) -> str:
        """The label as text for a table, a set as `ant|bee`; empty without a label."""
        return (self.label or "") if self.labels is None else join_labels(self.labels)


@dataclass(frozen=True)
class Manifest:
    """An Arrow table of `SCHEMA`, or of `SCHEMA_OF_SETS`, sorted by path."""

    table: pa.Table

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def kind(self) -> str:
        """The name of the kind of its examples."""
        metadata = self.table.schema.metadata or {}
        return str(metadata.get(_KIND, UNSTATED.encode()).decode())

    @property
    def decoding(self) -> str | None:
        """The setting of `thaw.kinds.kind.SetDecoding`; None: the usual decoding."""
        setting = (self.table.schema.metadata or {}).get(_DECODING)
        return None if setting is None else str(setting.decode())

    @property
    def target(self) -> str:
        """The name of the target of its labels."""
        stated = (self.table.schema.metadata or {}).get(_TARGET)
        if stated is not None:
            return str(stated.decode())
        return "label_sets" if self.multilabel else "one_label"

    @property
    def settled_kind(self) -> Kind:
        """The kind of its examples, with previews by their decoding."""
        return kind_named(self.kind).of_set(self.decoding)

    @property
    def digests(self) -> list[bytes]:
        """The digest of each row, 32 bytes each, in the manifest's order; duplicates stay."""
        return list(self.table["digest"].to_pylist())

    @property
    def class_names(self) -> tuple[str, ...]:
        """Every label in use, sorted."""
        return tuple(sorted({name for example in self.examples() for name in example.names or ()}))

    @property
    def multilabel(self) -> bool:
        """Whether examples have sets of labels."""
        return LABELS.name in self.table.column_names

    @property
    def has_triggers(self) -> bool:
        """Whether its labels are triggers; an empty set is then a recording without one."""
        return self.target == TRIGGER

    def examples(self) -> list[Example]:
        """All rows as dataclasses, in the manifest's order."""
        return [_example(row) for row in self.table.to_pylist()]


def _example(row: dict[str, Any]) -> Example:
    labels = row.get(LABELS.name)
    return Example(**{**row, "shape": tuple(row["shape"]), LABELS.name: None if labels is None else tuple(labels)})


def build_manifest(
    examples: Iterable[Example], kind: str = UNSTATED, decoding: str | None = None, target: str | None = None
) -> Manifest:
    """Build a manifest from examples in any order: rows sorted by path, dictionaries sorted by value; of label sets where any example has one.

    decoding: the setting of `thaw.kinds.kind.SetDecoding`. target: of the labels; None: their form tells it.
    """
    rows = sorted(examples, key=lambda example: example.path)
    labels = sorted({row.label for row in rows if row.label is not None})
    columns = {
        "digest": pa.array([row.digest for row in rows], pa.binary(DIGEST_SIZE)),
        "path": pa.array([row.path for row in rows], pa.string()),
        "label": _dictionary([row.label for row in rows], labels, pa.int32()),
        "split": _dictionary([row.split for row in rows], list(SPLITS), pa.int8()),
        "group": pa.array([row.group for row in rows], pa.string()),
        "shape": pa.array([list(row.shape) for row in rows], pa.list_(pa.int32())),
        "size": pa.array([row.size for row in rows], pa.int64()),
    }
    if all(row.labels is None for row in rows):
        return Manifest(_stated(pa.table(columns, schema=SCHEMA), kind, decoding, target))
    sets = pa.array([None if row.labels is None else list(row.labels) for row in rows], LABELS.type)
    return Manifest(_stated(pa.table(columns | {LABELS.name: sets}, schema=SCHEMA_OF_SETS), kind, decoding, target))


def _stated(table: pa.Table, kind: str, decoding: str | None, target: str | None) -> pa.Table:
    """The table with the kind, the decoding and the target in its metadata; what older files lack is not written, so that those files stay as they were."""
    metadata = {} if kind == UNSTATED else {_KIND: kind.encode()}
    metadata |= {} if decoding is None else {_DECODING: decoding.encode()}
    metadata |= {} if target is None else {_TARGET: target.encode()}
    return table.replace_schema_metadata(metadata) if metadata else table


def _dictionary(values: list[str | None], names: list[str], index: pa.DataType) -> pa.DictionaryArray:
    position = {name: i for i, name in enumerate(names)}
    indices = pa.array([None if value is None else position[value] for value in values], index)
    return pa.DictionaryArray.from_arrays(indices, pa.array(names, pa.string()))


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write the manifest as Parquet, atomically."""
    with atomic(path) as temporary:
        pq.write_table(manifest.table, temporary, compression="zstd")


def read_manifest(path: Path) -> Manifest:
    """Read a manifest.

    Raises:
        BadArtifact: the file is missing, not Parquet, or of another schema.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise BadArtifact(f"{path} cannot be read ({error}); run `thaw run --stage ingest` to make it again") from error
    if not any(table.schema.equals(schema) for schema in (SCHEMA, SCHEMA_OF_SETS)):
        raise BadArtifact(f"{path} is not a manifest of this version; run `thaw run --stage ingest` to make it again")
    return Manifest(table)
