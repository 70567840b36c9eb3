"""The manifest: one row an example, sorted by path; the same bytes give the same file, byte for byte."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from thaw.errors import BadArtifact
from thaw.files import DIGEST_SIZE, atomic

TRAIN, VAL, TEST = "train", "val", "test"
SPLITS = (TRAIN, VAL, TEST)

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


@dataclass(frozen=True)
class Example:
    """One row of the manifest.

    `digest` is BLAKE3 of the bytes (32 bytes); `path` is relative to the source, POSIX; `label` None means unlabelled;
    examples with the same `group` share a split; `shape` is (height, width, channels); `size` is in bytes.
    """

    digest: bytes
    path: str
    label: str | None
    split: str
    group: str | None
    shape: tuple[int, ...]
    size: int


@dataclass(frozen=True)
class Manifest:
    """An Arrow table of `SCHEMA`, sorted by path."""

    table: pa.Table

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def digests(self) -> list[bytes]:
        """The digest of each row, 32 bytes each, in the manifest's order; duplicates stay."""
        return list(self.table["digest"].to_pylist())

    @property
    def class_names(self) -> tuple[str, ...]:
        """Every label in use, sorted."""
        return tuple(sorted({label for label in self.table["label"].to_pylist() if label is not None}))

    def examples(self) -> list[Example]:
        """All rows as dataclasses, in the manifest's order."""
        return [Example(**{**row, "shape": tuple(row["shape"])}) for row in self.table.to_pylist()]


def build_manifest(examples: Iterable[Example]) -> Manifest:
    """Build a manifest from examples in any order: rows sorted by path, dictionaries sorted by value."""
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
    return Manifest(pa.table(columns, schema=SCHEMA))


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
    if not table.schema.equals(SCHEMA):
        raise BadArtifact(f"{path} is not a manifest of this version; run `thaw run --stage ingest` to make it again")
    return Manifest(table)
