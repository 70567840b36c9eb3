"""Looking after the cache never costs a feature that is needed."""

import tempfile
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thaw.features.store.store import FeatureStore, Layer
from thaw.features.store.upkeep import Checked, cached_layers, compact, delete, find_garbage, joined, verify
from thaw.foundation.errors import BadArtifact
from thaw.foundation.files.atomic import digest_bytes

LAYER = Layer("f" * 32, "flatten", 4)
OLD = Layer("0" * 32, "flatten", 4)


def digest(number: int) -> bytes:
    return digest_bytes(bytes([number]))


def write(store: FeatureStore, layer: Layer, numbers: range, dtype: torch.dtype = torch.float32) -> Path:
    features = torch.stack([torch.full((4,), float(number)) for number in numbers]).to(dtype)
    stated = {"architecture": "resnet18", "engine": "openvino", "precision": "bfloat16"}
    return store.write(layer, [digest(number) for number in numbers], features, stated)


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    return FeatureStore(tmp_path / "features")


def values(store: FeatureStore, numbers: range) -> list[float]:
    found = store.read(LAYER.fingerprint, LAYER.name, [digest(number) for number in numbers])
    return [float(value) for value in found[:, 0]]


def test_it_says_what_is_there(store: FeatureStore) -> None:
    assert cached_layers(store) == ()
    write(store, LAYER, range(5))
    write(store, LAYER, range(5, 7))
    (found,) = cached_layers(store)
    assert (found.layer, found.parts, found.rows) == (LAYER, 2, 7)
    assert (found.architecture, found.engines, found.precision) == ("resnet18", ("openvino",), "bfloat16")
    assert found.nbytes == sum(path.stat().st_size for path in store.root.rglob("*.parquet"))


def test_what_the_manifest_needs_is_never_garbage(store: FeatureStore) -> None:
    kept = write(store, LAYER, range(4))
    partly = write(store, LAYER, range(4, 8))
    gone, old = write(store, LAYER, range(8, 12)), write(store, OLD, range(4))
    damaged = kept.with_name("part-x.parquet.damaged")
    unfinished = kept.with_name(".tmp-abc.parquet")
    foreign = kept.with_name("notes.txt")
    for path in (damaged, unfinished, foreign):
        path.write_bytes(b"12345")
    needed = {(LAYER.fingerprint, LAYER.name): frozenset(digest(number) for number in (0, 1, 2, 3, 7))}
    garbage = find_garbage(store, needed)
    assert set(garbage.paths) == {gone, old, damaged, unfinished}
    assert garbage.nbytes == sum(path.stat().st_size for path in garbage.paths)
    assert gone.exists(), "finding deletes nothing"
    delete(garbage)
    delete(garbage)
    assert sorted(path for path in store.root.rglob("*") if path.is_file()) == sorted([kept, partly, foreign])
    assert not old.parent.parent.exists(), "an empty folder goes with its last part"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_small_parts_become_full_ones_with_the_same_features(store: FeatureStore, dtype: torch.dtype) -> None:
    for start in range(0, 9, 3):
        write(store, LAYER, range(start, start + 3), dtype)
    write(store, LAYER, range(100, 104), dtype)
    assert compact(store, LAYER, part_rows=4) == 0, "nine rows still need three parts of four"
    assert compact(store, LAYER, part_rows=8) == 2
    assert values(store, range(9)) == [float(number) for number in range(9)]
    assert values(store, range(100, 104)) == [100.0, 101.0, 102.0, 103.0]
    (found,) = cached_layers(store)
    assert (found.rows, found.dtype) == (13, str(dtype).removeprefix("torch."))
    assert (found.engines, found.precision) == (("openvino",), "bfloat16"), "what was said of them stays said"
    assert not store.set_aside_damaged(LAYER.fingerprint, LAYER.name)


def test_compacting_twice_changes_nothing(store: FeatureStore) -> None:
    for start in range(0, 6, 2):
        write(store, LAYER, range(start, start + 2))
    compact(store, LAYER, part_rows=100)
    after = sorted(store.root.rglob("*.parquet"))
    assert compact(store, LAYER, part_rows=100) == 0
    assert sorted(store.root.rglob("*.parquet")) == after


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    parts=st.lists(st.sets(st.integers(0, 30), min_size=1, max_size=8), max_size=6),
    needed=st.sets(st.integers(0, 30)),
)
def test_no_row_that_the_manifest_needs_ever_goes(parts: list[set[int]], needed: set[int], tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
        store = FeatureStore(Path(folder))
        for part in parts:
            features = torch.tensor([[float(number)] * 4 for number in sorted(part)])
            store.write(LAYER, [digest(number) for number in sorted(part)], features, {"architecture": "resnet18"})
        wanted = frozenset(digest(number) for number in needed)
        delete(find_garbage(store, {(LAYER.fingerprint, LAYER.name): wanted}))
        left = set(store.digests(LAYER.fingerprint, LAYER.name).to_pylist())
        assert left >= wanted & {digest(number) for part in parts for number in part}
        assert find_garbage(store, {(LAYER.fingerprint, LAYER.name): wanted}).paths == ()


def flip(part: Path) -> None:
    """Another value in the last feature, which nothing but a checksum shows."""
    content = bytearray(part.read_bytes())
    place = content.rindex(torch.full((4,), 2.0).numpy().tobytes())
    content[place + 3] ^= 1
    part.write_bytes(content)


def test_what_is_damaged_is_not_written_again_as_sound(store: FeatureStore) -> None:
    flip(write(store, LAYER, range(3)))
    write(store, LAYER, range(3, 5))
    write(store, LAYER, range(5, 7))
    assert compact(store, LAYER, part_rows=100) == 1
    assert values(store, range(3, 7)) == [3, 4, 5, 6]
    assert len(store.digests(LAYER.fingerprint, LAYER.name)) == 4, "the damaged part's rows are to be computed again"
    assert len(list(store.root.rglob("*.damaged"))) == 1


def test_only_parts_that_were_made_alike_are_joined(store: FeatureStore) -> None:
    write(store, LAYER, range(2))
    write(store, LAYER, range(2, 4))
    store.write(LAYER, [digest(4)], torch.zeros(1, 4), {"engine": "torch"})
    assert compact(store, LAYER, part_rows=100) == 1
    (found,) = cached_layers(store)
    assert (found.parts, found.engines) == (2, ("openvino", "torch"))


def test_a_torn_part_is_found_and_named(store: FeatureStore) -> None:
    whole, torn = write(store, LAYER, range(3)), write(store, LAYER, range(3, 6))
    torn.write_bytes(torn.read_bytes()[:-50])
    with pytest.raises(BadArtifact, match=f"{torn.name} is damaged .*thaw cache verify"):
        cached_layers(store)
    with pytest.raises(BadArtifact, match=f"{torn.name} is damaged .*thaw cache verify"):
        find_garbage(store, {(LAYER.fingerprint, LAYER.name): frozenset([digest(0)])})
    assert verify(store) == Checked(2, (torn.with_suffix(".parquet.damaged"),))
    assert verify(store) == Checked(1, ())
    assert store.parts(LAYER) == [whole]


def test_garbage_of_two_stores_is_added_up(tmp_path: Path) -> None:
    features, activations = FeatureStore(tmp_path / "features"), FeatureStore(tmp_path / "activations")
    kept, gone = write(features, LAYER, range(2)), write(activations, OLD, range(3))
    found = joined(
        find_garbage(features, {(LAYER.fingerprint, LAYER.name): frozenset([digest(0)])}), find_garbage(activations, {})
    )
    assert found.paths == (gone,) and found.nbytes == gone.stat().st_size
    delete(found)
    assert kept.exists() and not gone.exists()
    assert find_garbage(FeatureStore(tmp_path / "none"), {}).paths == ()
