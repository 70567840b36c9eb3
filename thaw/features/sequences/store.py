"""Sequences in the feature store: for each recording all places of a layer, in immutable Parquet parts beside those of pooled features.

A part has the columns `digest` (32 bytes), `feature` (the rows of places, dim x itemsize bytes each, little endian), `frames`, the length of the recording,
and `end`. Its name comes from its digests, so it is checked, listed, mirrored and deleted as every part is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from thaw.backbones.places import Span
from thaw.features.store.store import EXTRACT_AGAIN, SEQUENCES, FeatureStore, SequenceLayer, part_name
from thaw.foundation.errors import BadArtifact, IncompleteFeatures
from thaw.foundation.files.atomic import DIGEST_SIZE, atomic
from thaw.kinds.sounds.framed import FRAMES_A_SECOND

_FIELDS = (
    pa.field("digest", pa.binary(DIGEST_SIZE), nullable=False),
    pa.field("feature", pa.binary(), nullable=False),
    pa.field("frames", pa.int64(), nullable=False),
    pa.field("end", pa.int64(), nullable=False),
)


def span_of(layer: SequenceLayer) -> Span:
    """The places of cached sequences."""
    window, stride = (round(seconds * FRAMES_A_SECOND) for seconds in (layer.window_s, layer.period_s))
    return Span(window, stride, least=window, filled=window)


@dataclass(frozen=True, eq=False)
class Heard:
    """A recording as a network hears it. features: float32 or float16 [P, dim]. frames: its length, without what was put around it. end: the place at which
    its speech ends."""

    features: Tensor
    frames: int
    end: int

    @property
    def hours(self) -> float:
        """The length of the recording."""
        return self.frames / FRAMES_A_SECOND / 3600


def write_sequences(
    store: FeatureStore, layer: SequenceLayer, digests: Sequence[bytes], heard: Sequence[Heard], stated: dict[str, str]
) -> Path:
    """Write one part, whose name comes from the digests; the features have the stored type."""
    path = store.path(layer.stored, part_name(digests))
    rows = [each.features.contiguous().numpy() for each in heard]
    columns = [
        pa.array(digests, _FIELDS[0].type),
        pa.array([row.tobytes() for row in rows], _FIELDS[1].type),
        pa.array([each.frames for each in heard], _FIELDS[2].type),
        pa.array([each.end for each in heard], _FIELDS[3].type),
    ]
    metadata = {
        **stated,
        "dtype": str(rows[0].dtype),
        "dim": str(layer.dim),
        "layer": layer.stored.name,
        "view": layer.stored.view,
        "layout": SEQUENCES,
    }
    with atomic(path) as temporary:
        pq.write_table(
            pa.table(columns, schema=pa.schema(_FIELDS, metadata)),
            temporary,
            compression="none",
            use_dictionary=False,
            write_statistics=False,
            write_page_checksum=True,
        )
    return path


def read_sequences(store: FeatureStore, layer: SequenceLayer, digests: Sequence[bytes]) -> list[Heard]:
    """The sequences of `digests`, in their order, float32.

    Raises:
        IncompleteFeatures: some digest has none.
        BadArtifact: a part is torn.
    """
    wanted, found = set(digests), dict[bytes, Heard]()
    for path in store.parts(layer.stored):
        found |= _in_part(path, layer.dim, wanted - found.keys())
    if missing := wanted - found.keys():
        raise IncompleteFeatures(f"{len(missing)} of {len(wanted)} recordings have no sequence; {EXTRACT_AGAIN}")
    return [found[digest] for digest in digests]


def _in_part(path: Path, dim: int, wanted: set[bytes]) -> dict[bytes, Heard]:
    try:
        table = pq.read_table(path, filters=[("digest", "in", wanted)]) if wanted else None
    except (OSError, pa.ArrowInvalid) as error:
        raise BadArtifact(f"{path} is gone or damaged ({error}); {EXTRACT_AGAIN}") from error
    if table is None:
        return {}
    dtype = np.dtype((table.schema.metadata or {})[b"dtype"].decode())
    return {
        row["digest"]: Heard(
            torch.from_numpy(np.frombuffer(row["feature"], dtype).reshape(-1, dim).astype(np.float32)),
            row["frames"],
            row["end"],
        )
        for row in table.to_pylist()
    }
