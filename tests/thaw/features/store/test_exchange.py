"""Features that go out come in again, for other tools and from them; what is of another make is refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from thaw.dataset.manifest import Example
from thaw.features.store.exchange import ARRAY, CARD, DIGESTS, TABLE, export_features, read_exchange
from thaw.features.store.store import FeatureStore, Layer
from thaw.foundation.errors import BadArtifact
from thaw.foundation.files.atomic import digest_bytes

LAYER = Layer("f" * 32, "flatten", 4)
LABELS = {3: ("d.png", "x"), 0: ("a.png", None), 4: ("e.png", "y")}


def digest(number: int) -> bytes:
    return digest_bytes(bytes([number]))


def write(store: FeatureStore, numbers: range) -> None:
    features = torch.stack([torch.full((4,), float(number)) for number in numbers])
    store.write(LAYER, [digest(number) for number in numbers], features, {"architecture": "resnet18"})


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    store = FeatureStore(tmp_path / "features")
    write(store, range(5))
    examples = [
        Example(digest(number), path, label, "train", None, (1, 1, 3), 1) for number, (path, label) in LABELS.items()
    ]
    export_features(store, LAYER, examples, tmp_path / "out")
    return tmp_path / "out"


def test_other_tools_read_what_is_exported(exported: Path) -> None:
    assert np.load(exported / ARRAY, allow_pickle=False)[:, 0].tolist() == [3.0, 0.0, 4.0]
    assert np.load(exported / DIGESTS, allow_pickle=False)[0].tobytes() == digest(3)
    rows = pq.read_table(exported / TABLE).to_pylist()
    assert [row["path"] for row in rows] == ["d.png", "a.png", "e.png"]
    assert [row["label"] for row in rows] == ["x", None, "y"]
    assert rows[0]["feature"] == [3.0] * 4 and rows[0]["digest"] == digest(3).hex()
    assert json.loads((exported / CARD).read_text()) == {
        "fingerprint": LAYER.fingerprint,
        "name": "flatten",
        "dim": 4,
        "view": "identity",
    }


@pytest.mark.parametrize("name", [TABLE, ARRAY])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_what_went_out_comes_in_once(exported: Path, tmp_path: Path, name: str, dtype: str) -> None:
    store = FeatureStore(tmp_path / "other")
    write(store, range(4, 6))
    new = read_exchange(exported / name, [LAYER]).missing_from(store)
    assert set(new.digests) == {digest(3), digest(0)}
    new.write(store, dtype=dtype, part_rows=1, stated={"engine": "imported"})
    found = store.read(LAYER.fingerprint, LAYER.name, [digest(number) for number in (0, 3, 4, 5)])
    assert found[:, 1].tolist() == [0.0, 3.0, 4.0, 5.0]
    assert not read_exchange(exported / name, [LAYER]).missing_from(store).digests


def test_another_backbone_is_refused_with_what_was_expected(exported: Path) -> None:
    others = [replace(LAYER, fingerprint="0" * 32), replace(LAYER, view="hflip"), replace(LAYER, dim=5)]
    for other in others:
        with pytest.raises(BadArtifact, match="preprocessing and precision give other features: flatten"):
            read_exchange(exported / TABLE, [other])


def test_damage_is_named_and_nothing_comes_in(exported: Path) -> None:
    array = np.load(exported / ARRAY)
    array[1, 2] = np.nan
    np.save(exported / ARRAY, array)
    with pytest.raises(BadArtifact, match="not finite numbers; nothing was imported"):
        read_exchange(exported / ARRAY, [LAYER])
    np.save(exported / ARRAY, array[:, :3])
    with pytest.raises(BadArtifact, match=r"float32 \(3, 3\), and flatten is float32 \(3, 4\)"):
        read_exchange(exported / ARRAY, [LAYER])
    np.save(exported / DIGESTS, np.zeros((3, 31), np.uint8))
    with pytest.raises(BadArtifact, match=r"digests\.npy is uint8 \(3, 31\)"):
        read_exchange(exported / ARRAY, [LAYER])
    table = pq.read_table(exported / TABLE)
    pq.write_table(table.set_column(3, "feature", pa.array([[1.0] * 4] * 3)), exported / TABLE)
    with pytest.raises(BadArtifact, match="must be lists of fixed size"):
        read_exchange(exported / TABLE, [LAYER])
    (exported / TABLE).write_bytes((exported / ARRAY).read_bytes())
    with pytest.raises(BadArtifact, match="cannot be read as exported features"):
        read_exchange(exported / TABLE, [LAYER])
    (exported / CARD).unlink()
    with pytest.raises(BadArtifact, match="`thaw cache export` writes it"):
        read_exchange(exported / TABLE, [LAYER])
