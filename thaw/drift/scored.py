"""A scores table, as scoring writes it: the digests of all scored examples, and the model's answers for those that are compared."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from thaw.drift.observed import Floats, Observed
from thaw.drift.record import LeftOut, Origin
from thaw.drift.reference import MOST_ROWS, column_of, named_of
from thaw.features.store.store import Layer
from thaw.foundation.errors import BadArtifact
from thaw.foundation.statistics.bootstrap import IntArray
from thaw.targets.one_label.target import most_probable
from thaw.targets.target import NEITHER

ANSWERS = ("label", "labels", "confidence", "known_score", "probabilities")
SCORE_AGAIN = "score the examples again, as with `thaw watch PATH`"


@dataclass(frozen=True, eq=False)
class Scored:
    """A scores table at `path`. layer: the examples' layer in a feature store. digests: of the usable examples, and places: int64 [N], their rows in the table.
    unusable: the number of other examples."""

    path: Path
    origin: Origin
    layer: Layer
    class_names: tuple[str, ...]
    digests: tuple[bytes, ...]
    places: IntArray
    unusable: int

    def observed(self, rows: IntArray, features: Floats) -> Observed:
        """The model's answers for some of the digests, int64 [M], with their features, float32 [M, D].

        Raises:
            BadArtifact: the table is torn.
        """
        digests = tuple(self.digests[row] for row in rows)
        try:
            return _observed(_take(self.path, self.places[rows]), self.class_names, digests, features)
        except (OSError, pa.ArrowException, KeyError, ValueError) as error:
            raise _unreadable(self.path, error) from error


def read_scored(path: Path) -> Scored:
    """Read the list of examples in a scores table.

    Raises:
        BadArtifact: the table is missing, torn, of another version, or not scored by a version of a registered model.
    """
    try:
        table = pq.read_table(path, columns=["digest", "reason"])
        stated = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
        usable = pc.equal(pc.coalesce(table["reason"], ""), "")  # type: ignore[attr-defined]
        digests = tuple(table["digest"].filter(usable).to_pylist())
        return Scored(
            path=path,
            origin=Origin(stated["model"], _number(stated["version"], path), stated["scored_at"]),
            layer=Layer(stated["fingerprint"], stated["layer"], int(stated["dim"])),
            class_names=tuple(json.loads(stated["class_names"])),
            digests=digests,
            places=np.flatnonzero(usable.to_numpy()).astype(np.int64),
            unusable=table.num_rows - len(digests),
        )
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise _unreadable(path, error) from error


def choose_rows(digests: Sequence[bytes], reference: Sequence[bytes], unusable: int) -> tuple[IntArray, LeftOut]:
    """The rows to compare, int64 [M]: each content once, without those of the reference, at most `MOST_ROWS`, chosen by the order of their digests."""
    known = set(reference)
    first = {digest: row for row, digest in reversed(list(enumerate(digests)))}
    new = sorted(digest for digest in first if digest not in known)
    left_out = LeftOut(
        unusable=unusable,
        copies=len(digests) - len(first),
        reference=len(first) - len(new),
        beyond=max(0, len(new) - MOST_ROWS),
    )
    return np.array([first[digest] for digest in new[:MOST_ROWS]], np.int64), left_out


def _unreadable(path: Path, error: Exception) -> BadArtifact:
    return BadArtifact(f"{path} cannot be read as scores ({error}); {SCORE_AGAIN}")


def _number(version: str, path: Path) -> int:
    if not version.isdecimal():
        raise BadArtifact(
            f"{path} was scored by {version or 'a model'!r}, and that is no version in the registry; only a registered version has a reference"
        )
    return int(version)


def _take(path: Path, places: IntArray) -> pa.Table:
    """The answers in some rows of the file, int64 [M], in that order; the file is read in pieces."""

    def pieces(file: pq.ParquetFile, wanted: IntArray) -> Iterator[pa.RecordBatch]:
        start = 0
        for batch in file.iter_batches(columns=list(ANSWERS)):
            inside = wanted[(wanted >= start) & (wanted < start + batch.num_rows)] - start
            yield batch.take(pa.array(inside))
            start += batch.num_rows

    order = np.argsort(places)
    with pq.ParquetFile(path) as file:
        schema = pa.schema([file.schema_arrow.field(name) for name in ANSWERS])
        taken = pa.Table.from_batches([piece.cast(schema) for piece in pieces(file, places[order])], schema)
    return taken.take(pa.array(np.argsort(order)))


def _observed(table: pa.Table, names: tuple[str, ...], digests: tuple[bytes, ...], features: Floats) -> Observed:
    if table["labels"].null_count < len(table):
        return Observed(digests, features, named_of(table["labels"].to_pylist(), names), None, None, None)
    flat = table["probabilities"].combine_chunks().flatten().to_numpy()
    known_scores = column_of(table, "known_score", np.float32)
    labels = np.array(table["label"].to_pylist(), dtype=object)
    return Observed(
        digests=digests,
        features=features,
        named=most_probable(np.asarray(flat, np.float32).reshape(len(table), len(names))),
        confidences=column_of(table, "confidence", np.float32),
        accepted=None if known_scores is None else np.asarray(labels != NEITHER, np.bool_),
        known_scores=known_scores,
    )
