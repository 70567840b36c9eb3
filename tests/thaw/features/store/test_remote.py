"""Parts at two places: each copies only what it lacks, whole, through a folder and through a real S3 protocol."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from object_store import object_store

from thaw.features.store.remote import Mirror
from thaw.features.store.store import FeatureStore, Layer
from thaw.foundation.errors import BadParameters, Unreachable
from thaw.foundation.files.atomic import digest_bytes

LAYER = Layer("f" * 32, "flatten", 4)


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with object_store() as url:
        yield url


@pytest.fixture(params=["folder", "s3"])
def mirror(request: pytest.FixtureRequest, bucket: str, tmp_path: Path) -> Mirror:
    if request.param == "folder":
        return Mirror(str(tmp_path / "shared"))
    return Mirror(f"{bucket}/{tmp_path.name}")


def write(store: FeatureStore, numbers: range) -> Path:
    features = torch.stack([torch.full((4,), float(number)) for number in numbers])
    return store.write(LAYER, [digest_bytes(bytes([number])) for number in numbers], features, {})


def test_places_exchange_what_the_other_lacks(mirror: Mirror, tmp_path: Path) -> None:
    one, two = FeatureStore(tmp_path / "one"), FeatureStore(tmp_path / "two")
    assert mirror.names(LAYER) == [] and mirror.pull(two, LAYER) == 0
    first = write(one, range(3))
    assert (mirror.push(one, LAYER), mirror.push(one, LAYER)) == (1, 0)
    assert mirror.has(LAYER, first.name) and not mirror.has(LAYER, "part-0.parquet")
    second = write(two, range(3, 5))
    assert (mirror.pull(two, LAYER), mirror.push(two, LAYER)) == (1, 1)
    assert mirror.pull(one, LAYER, [second.name]) == 1
    assert mirror.names(LAYER) == sorted([first.name, second.name])
    for store in (one, two):
        digests = [digest_bytes(bytes([number])) for number in range(5)]
        assert store.read(LAYER.fingerprint, LAYER.name, digests)[:, 0].tolist() == [0, 1, 2, 3, 4]
        assert not store.set_aside_damaged(LAYER.fingerprint, LAYER.name)
        assert not list(store.root.rglob(".tmp-*"))


def test_a_copy_that_fails_leaves_nothing_half(mirror: Mirror, tmp_path: Path) -> None:
    store = FeatureStore(tmp_path / "one")
    with pytest.raises((BadParameters, Unreachable, FileNotFoundError)):
        mirror.pull(store, LAYER, ["part-not-there.parquet"])
    assert not list(store.root.rglob("*.parquet"))


def test_addresses_that_lead_nowhere_are_named(bucket: str) -> None:
    with pytest.raises(BadParameters, match=r"extract\.store: nonsense://x cannot be used"):
        Mirror("nonsense://x")
    with pytest.raises((BadParameters, Unreachable), match=r"extract\.store: s3://no-such-bucket/x"):
        Mirror("s3://no-such-bucket/x").put(LAYER, Path(__file__))


def test_a_part_that_is_damaged_there_does_not_come_and_is_replaced(mirror: Mirror, tmp_path: Path) -> None:
    one, two = FeatureStore(tmp_path / "one"), FeatureStore(tmp_path / "two")
    part = write(one, range(3))
    whole = part.read_bytes()
    part.write_bytes(whole[:-80])
    mirror.put(LAYER, part)
    part.write_bytes(whole)
    assert mirror.pull(two, LAYER) == 0 and two.parts(LAYER) == []
    assert mirror.names(LAYER) == []
    assert mirror.push(one, LAYER) == 1 and mirror.pull(two, LAYER) == 1
    assert two.parts(LAYER)[0].read_bytes() == whole
    assert not list(two.root.rglob(".tmp-*"))
