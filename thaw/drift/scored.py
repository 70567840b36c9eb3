"""A scores table, as scoring writes it, for what is compared: which images, and what the model says of them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from thaw.bootstrap import IntArray
from thaw.drift.observed import Bools, Floats, Observed, most_probable
from thaw.drift.record import LeftOut, Origin
from thaw.drift.reference import MOST_ROWS, column_of, named_of
from thaw.errors import BadArtifact
from thaw.features import Layer
from thaw.openness import NEITHER

COLUMNS = ("digest", "label", "labels", "confidence", "known_score", "probabilities", "reason")


@dataclass(frozen=True, eq=False)
class Scored:
    """The usable rows of a scores table, without their features: those lie in `layer` of a feature store, by digest. unusable: how many files had a reason not
    to be scored. The columns are those of `Observed`."""

    origin: Origin
    layer: Layer
    class_names: tuple[str, ...]
    unusable: int
    digests: tuple[bytes, ...]
    named: Bools
    confidences: Floats | None
    accepted: Bools | None
    known_scores: Floats | None

    def observed(self, rows: IntArray, features: Floats) -> Observed:
        """Some rows, int64 [M], with their features, float32 [M, D]."""
        return Observed(
            tuple(self.digests[row] for row in rows),
            features,
            self.named[rows],
            None if self.confidences is None else self.confidences[rows],
            None if self.accepted is None else self.accepted[rows],
            None if self.known_scores is None else self.known_scores[rows],
        )


def read_scored(path: Path) -> Scored:
    """Read a scores table.

    Raises:
        BadArtifact: it is missing, torn, of another version, or scored by what is no version of a registered model.
    """
    try:
        table = pq.read_table(path)
        stated = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
        layer = Layer(stated["fingerprint"], stated["layer"], int(stated["dim"]))
        names = tuple(json.loads(stated["class_names"]))
        origin = Origin(stated["model"], _number(stated["version"], path), stated["scored_at"])
        usable = table.select(COLUMNS).filter(pc.equal(pc.coalesce(table["reason"], ""), ""))  # type: ignore[attr-defined]
        return _scored(usable, origin, layer, names, table.num_rows - usable.num_rows)
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise BadArtifact(
            f"{path} cannot be read as scores ({error}); score the images again, as with `thaw watch PATH`"
        ) from error


def choose_rows(digests: Sequence[bytes], reference: Sequence[bytes], unusable: int) -> tuple[IntArray, LeftOut]:
    """Which rows are compared, int64 [M]: each content once, without the reference's own, at most `MOST_ROWS`; which of them, their digests decide."""
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


def _number(version: str, path: Path) -> int:
    if not version.isdecimal():
        raise BadArtifact(
            f"{path} was scored by {version or 'a model'!r}, which is no version in the registry; only a registered version has a reference"
        )
    return int(version)


def _scored(table: pa.Table, origin: Origin, layer: Layer, names: tuple[str, ...], unusable: int) -> Scored:
    digests = tuple(table["digest"].to_pylist())
    sets = table["labels"].null_count < len(table)
    if sets:
        named = named_of(table["labels"].to_pylist(), names)
        return Scored(origin, layer, names, unusable, digests, named, None, None, None)
    flat = table["probabilities"].combine_chunks().flatten().to_numpy()
    probabilities = np.asarray(flat, np.float32).reshape(len(table), len(names))
    known_scores = column_of(table, "known_score", np.float32)
    labels = np.array(table["label"].to_pylist(), dtype=object)
    return Scored(
        origin=origin,
        layer=layer,
        class_names=names,
        unusable=unusable,
        digests=digests,
        named=most_probable(probabilities),
        confidences=column_of(table, "confidence", np.float32),
        accepted=None if known_scores is None else np.asarray(labels != NEITHER, np.bool_),
        known_scores=known_scores,
    )
