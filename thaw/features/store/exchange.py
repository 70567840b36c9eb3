"""The exchange of features with other tools: FixedSizeList Parquet and `.npy`, with a card that names their origin."""

import json
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from thaw.dataset.label_sets import join_labels
from thaw.dataset.manifest import Example
from thaw.features.store.store import FeatureStore, FloatRows, Layer, check_part_rows
from thaw.foundation.errors import BadArtifact
from thaw.foundation.files.atomic import DIGEST_SIZE, atomic, write_text

ARRAY, DIGESTS, TABLE, CARD = "features.npy", "digests.npy", "features.parquet", "features.json"


@dataclass(frozen=True)
class Imported:
    """The result of an import: the file has `rows` rows, and `new` of them were not in the store."""

    layer: Layer
    rows: int
    new: int


def export_features(store: FeatureStore, layer: Layer, examples: Sequence[Example], into: Path) -> tuple[Path, ...]:
    """Write the features of the examples, in their order, for other tools; returns the files.

    `features.npy` is float32 [N, D], and `digests.npy` uint8 [N, 32] its rows' keys; `features.parquet` has the columns path, label (a set as `ant|bee`),
    digest (hex) and feature (a list of fixed size); `features.json` is the card with their origin.
    """
    store.set_aside_damaged(layer.fingerprint, layer.name)  # files for other tools have no checksums of ours
    features = store.read(layer.fingerprint, layer.name, [example.digest for example in examples]).numpy()
    digests = np.frombuffer(b"".join(example.digest for example in examples), np.uint8).reshape(-1, DIGEST_SIZE)
    for name, array in ((ARRAY, features), (DIGESTS, digests)):
        with atomic(into / name) as temporary, temporary.open("wb") as file:
            np.save(file, array, allow_pickle=False)
    columns = {
        "path": pa.array([example.path for example in examples], pa.string()),
        "label": pa.array([_label_of(example) for example in examples], pa.string()),
        "digest": pa.array([example.digest.hex() for example in examples], pa.string()),
        "feature": pa.FixedSizeListArray.from_arrays(pa.array(features.reshape(-1)), layer.dim),
    }
    with atomic(into / TABLE) as temporary:
        pq.write_table(pa.table(columns), temporary, use_dictionary=["label"])
    write_text(into / CARD, json.dumps(asdict(layer), indent=2) + "\n")
    return tuple(into / name for name in (ARRAY, DIGESTS, TABLE, CARD))


def _label_of(example: Example) -> str | None:
    return None if example.names is None else join_labels(example.names)


@dataclass(frozen=True)
class Exchange:
    """Features from a file, checked: `features` float32 [N, D], row i for `digests[i]`."""

    layer: Layer
    digests: tuple[bytes, ...]
    features: FloatRows

    def missing_from(self, store: FeatureStore) -> "Exchange":
        """The rows that the store lacks."""
        stored: AbstractSet[bytes] = set(store.digests(self.layer.fingerprint, self.layer.name).to_pylist())
        rows = [row for row, digest in enumerate(self.digests) if digest not in stored]
        return Exchange(self.layer, tuple(self.digests[row] for row in rows), self.features[rows])

    def write(self, store: FeatureStore, *, dtype: str, part_rows: int, stated: dict[str, str]) -> None:
        """Write every row to the store, `part_rows` a part; a kill loses at most one part, and another run continues."""
        import torch

        check_part_rows(self.layer, part_rows)
        for start in range(0, len(self.digests), part_rows):
            block = torch.from_numpy(np.ascontiguousarray(self.features[start : start + part_rows]))
            store.write(self.layer, self.digests[start : start + part_rows], block.to(getattr(torch, dtype)), stated)


def read_exchange(file: Path, known: Sequence[Layer]) -> Exchange:
    """Read `features.parquet` or `features.npy` of `export_features`, with `features.json` (and `digests.npy`) beside it.

    known: the layers of this project's backbone and parameters.

    Raises:
        BadArtifact: a file is missing or damaged, its numbers are not finite, or it is of another backbone, preprocessing, precision or layer.
    """
    layer = _read_card(file.with_name(CARD))
    if layer not in known:
        expected = "; ".join(f"{other.name} ({other.view}), {other.fingerprint}" for other in known)
        raise BadArtifact(
            f"{file} holds {layer.name} ({layer.view}) of fingerprint {layer.fingerprint}; this project's backbone, preprocessing and precision "
            f"give other features: {expected}"
        )
    try:
        digests, features = _read_array(file) if file.suffix == ".npy" else _read_table(file)
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise BadArtifact(f"{file} cannot be read as exported features ({error}); export them again") from error
    _check(file, layer, digests, features)
    first = {digest: row for row, digest in reversed(list(enumerate(digests)))}
    rows = sorted(first.values())
    return Exchange(layer, tuple(digests[row] for row in rows), features[rows])


def _read_card(path: Path) -> Layer:
    try:
        return Layer(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise BadArtifact(
            f"{path}, the card of the features, cannot be read ({error}); `thaw cache export` writes it"
        ) from error


def _read_array(file: Path) -> tuple[list[bytes], FloatRows]:
    features = np.load(file, mmap_mode="r", allow_pickle=False)
    digests = np.load(file.with_name(DIGESTS), allow_pickle=False)
    if digests.dtype != np.uint8 or digests.shape != (len(features), DIGEST_SIZE):
        raise ValueError(
            f"{DIGESTS} is {digests.dtype} {digests.shape}, and must be uint8 [{len(features)}, {DIGEST_SIZE}]"
        )
    return [row.tobytes() for row in digests], features


def _read_table(file: Path) -> tuple[list[bytes], FloatRows]:
    table = pq.read_table(file, columns=["digest", "feature"])
    column = table["feature"].combine_chunks()
    if not pa.types.is_fixed_size_list(column.type):
        raise ValueError(f"its features are {column.type}, and must be lists of fixed size")
    features = column.flatten().to_numpy(zero_copy_only=False).reshape(len(table), -1)
    return [bytes.fromhex(digest) for digest in table["digest"].to_pylist()], features


def _check(file: Path, layer: Layer, digests: Sequence[bytes], features: FloatRows) -> None:
    if features.dtype != np.float32 or features.shape != (len(digests), layer.dim):
        raise BadArtifact(
            f"{file} holds {features.dtype} {features.shape}, and {layer.name} is float32 ({len(digests)}, {layer.dim})"
        )
    if any(len(digest) != DIGEST_SIZE for digest in digests):
        raise BadArtifact(f"{file}: a digest is {DIGEST_SIZE} bytes, and some are not")
    if not np.isfinite(features).all():
        raise BadArtifact(f"{file}: some features are not finite numbers; nothing was imported")
