"""The feature store: content-keyed, immutable, checked."""

import os
import random
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thaw.features.store.store import (
    ONE_PAGE,
    FeatureIndex,
    FeatureStore,
    Layer,
    check_part_rows,
    hash_digests,
    read_index,
    write_index,
)
from thaw.foundation.errors import BadArtifact, BadParameters, IncompleteFeatures
from thaw.foundation.files.atomic import digest_bytes

LAYER = Layer("f" * 32, "pool", 4)


def digests_of(numbers: Sequence[int]) -> list[bytes]:
    return [digest_bytes(str(number).encode()) for number in numbers]


def rows_of(numbers: Sequence[int], dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.stack([torch.full((LAYER.dim,), float(number)) for number in numbers]).to(dtype)


def write(store: FeatureStore, numbers: Sequence[int]) -> Path:
    return store.write(LAYER, digests_of(numbers), rows_of(numbers), {})


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=9, unique=True), min_size=1, max_size=5),
    seed=st.integers(0, 99),
)
def test_every_row_comes_back_by_its_digest(
    parts: list[list[int]], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = FeatureStore(tmp_path_factory.mktemp("store"))
    for numbers in parts:
        write(store, numbers)
    held = sorted({number for numbers in parts for number in numbers})
    wanted = random.Random(seed).choices(held, k=12)
    assert torch.equal(store.read(LAYER.fingerprint, LAYER.name, digests_of(wanted)), rows_of(wanted))
    assert set(store.digests(LAYER.fingerprint, LAYER.name).to_pylist()) == set(digests_of(held))


def test_half_precision_is_stored_as_such_and_read_as_float32(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    path = store.write(LAYER, digests_of([1, 2]), rows_of([1, 2], torch.float16), {})
    read = store.read(LAYER.fingerprint, LAYER.name, digests_of([2, 1]))
    assert read.dtype == torch.float32 and torch.equal(read, rows_of([2, 1]))
    assert pq.read_schema(path).field("feature").type == pa.binary(8)


def test_the_file_says_what_it_holds_and_a_foreign_reader_can_read_it(tmp_path: Path) -> None:
    path = FeatureStore(tmp_path).write(LAYER, digests_of([3]), rows_of([3]), {"architecture": "resnet18"})
    assert path.parent == tmp_path / LAYER.fingerprint / LAYER.name
    schema = pq.read_schema(path)
    assert schema.metadata == {
        b"architecture": b"resnet18",
        b"dtype": b"float32",
        b"dim": b"4",
        b"layer": b"pool",
        b"view": b"identity",
        b"layout": ONE_PAGE.encode(),
    }
    table = pq.read_table(path)
    assert table["digest"].to_pylist() == digests_of([3])
    assert table["feature"].to_pylist() == [rows_of([3]).numpy().tobytes()]


@pytest.mark.parametrize("rows", [1, 3, 1500, 20_000])
@pytest.mark.parametrize("dim", [1, 7, 512])
def test_the_mapped_block_is_what_arrow_decodes(rows: int, dim: int, tmp_path: Path) -> None:
    store, layer = FeatureStore(tmp_path), Layer("f" * 32, "pool", dim)
    features = torch.randn(rows, dim, generator=torch.Generator().manual_seed(rows))
    path = store.write(layer, digests_of(range(rows)), features, {})
    decoded = b"".join(pq.read_table(path)["feature"].to_pylist())
    assert decoded == features.numpy().tobytes()
    assert torch.equal(store.read(layer.fingerprint, layer.name, digests_of(range(rows))), features)


def test_a_part_of_another_layout_is_read_too(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    path = write(store, range(300))
    table = pq.read_table(path)
    other = {key: value for key, value in table.schema.metadata.items() if key != b"layout"}
    pq.write_table(table.replace_schema_metadata(other), path, compression="zstd", row_group_size=70)
    wanted = [299, 0, 150]
    assert torch.equal(store.read(LAYER.fingerprint, LAYER.name, digests_of(wanted)), rows_of(wanted))


def test_missing_features_are_counted(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    with pytest.raises(IncompleteFeatures, match="no features"):
        store.read(LAYER.fingerprint, LAYER.name, digests_of([1]))
    write(store, [1, 2])
    with pytest.raises(IncompleteFeatures, match="2 of 3 examples have no features"):
        store.read(LAYER.fingerprint, LAYER.name, digests_of([1, 7, 8]))


def test_a_flipped_byte_is_found_wherever_it_changes_a_number(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    sound, broken = write(store, range(100)), write(store, range(100, 200))
    content, rows = broken.read_bytes(), pq.read_table(broken)
    found = 0
    for position in range(0, len(content), 41):
        flipped = bytearray(content)
        flipped[position] ^= 0xFF
        broken.write_bytes(bytes(flipped))
        if aside := store.set_aside_damaged(LAYER.fingerprint, LAYER.name):
            assert [path.name for path in aside] == [broken.name + ".damaged"]
            found += 1
        else:
            assert pq.read_table(broken).equals(rows), f"byte {position} changed the rows unseen"
    assert sound.exists()
    assert found > 100 * (32 + 16) / 41, "every byte of the two columns must count"


@pytest.mark.parametrize("keep", [0, 4, 0.5, 0.99])
def test_a_torn_part_is_found_and_reading_it_says_what_to_do(keep: float, tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    path = write(store, range(50))
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content)) if keep < 1 else int(keep)])
    with pytest.raises(BadArtifact, match="thaw run --stage extract"):
        store.read(LAYER.fingerprint, LAYER.name, digests_of([1]))
    assert len(store.set_aside_damaged(LAYER.fingerprint, LAYER.name)) == 1
    assert len(store.digests(LAYER.fingerprint, LAYER.name)) == 0


def test_a_part_under_another_parts_name_is_found(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    one, two = write(store, [1]), write(store, [2])
    one.write_bytes(two.read_bytes())
    assert [path.name for path in store.set_aside_damaged(LAYER.fingerprint, LAYER.name)] == [one.name + ".damaged"]


def test_writers_at_once_do_not_conflict(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    overlapping = [range(start, start + 20) for start in range(0, 100, 10)] * 2
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda numbers: write(store, numbers), overlapping))
    assert torch.equal(store.read(LAYER.fingerprint, LAYER.name, digests_of(range(110))), rows_of(range(110)))
    assert not store.set_aside_damaged(LAYER.fingerprint, LAYER.name)
    assert not list(tmp_path.rglob(".tmp-*"))


WRITE_FOR_EVER = """
import sys, torch
from pathlib import Path
from thaw.features.store.store import FeatureStore, Layer
from thaw.foundation.files.atomic import digest_bytes
store, layer = FeatureStore(Path(sys.argv[1])), Layer("f" * 32, "pool", 4)
for part in range(10**6):
    numbers = range(part * 50, part * 50 + 50)
    features = torch.tensor(numbers).float()[:, None].repeat(1, 4)
    store.write(layer, [digest_bytes(str(number).encode()) for number in numbers], features, {})
    print(part, flush=True)
"""


def test_a_killed_writer_leaves_whole_parts(tmp_path: Path) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITE_FOR_EVER, str(tmp_path)], stdout=subprocess.PIPE, env={**os.environ}
    )
    assert writer.stdout is not None
    for _ in range(5):
        writer.stdout.readline()
    writer.kill()
    last = int((writer.stdout.read().split() or [b"4"])[-1])
    writer.wait()
    store = FeatureStore(tmp_path)
    assert not store.set_aside_damaged(LAYER.fingerprint, LAYER.name)
    written = range((last + 1) * 50)
    assert torch.equal(store.read(LAYER.fingerprint, LAYER.name, digests_of(written)), rows_of(written))


def test_the_index_is_canonical_and_finds_layers(tmp_path: Path) -> None:
    layers = (Layer("f", "layer3", 256), Layer("f", "flatten", 512), Layer("g", "flatten", 512, "hflip"))
    index = FeatureIndex("resnet18", "float32", layers, 2, hash_digests(digests_of([2, 1, 2])))
    assert index.digests == hash_digests(digests_of([1, 2]))
    write_index(index, tmp_path / "features.json")
    assert read_index(tmp_path / "features.json") == index
    assert index.layer(None) == layers[1] and index.layer("layer3") == layers[0]
    assert index.layer("flatten", "hflip") == layers[2]
    with pytest.raises(IncompleteFeatures, match="only of layer3, flatten;"):
        index.layer("layer9")
    with pytest.raises(IncompleteFeatures, match=r"no features of top_left; add it to extract\.views"):
        index.layer(None, "top_left")
    (tmp_path / "features.json").write_text('{"layers": [')
    with pytest.raises(BadArtifact, match="thaw run --stage extract"):
        read_index(tmp_path / "features.json")


def test_a_part_of_more_rows_than_a_page_holds_by_default(tmp_path: Path) -> None:
    store, layer = FeatureStore(tmp_path), Layer("f" * 32, "flatten", 2)
    digests = [digest_bytes(number.to_bytes(4, "little")) for number in range(20_001)]
    features = torch.arange(2 * 20_001, dtype=torch.float32).view(-1, 2)
    store.write(layer, digests, features, {})
    assert torch.equal(store.read(layer.fingerprint, layer.name, digests), features)
    assert not store.set_aside_damaged(layer.fingerprint, layer.name)


def test_more_rows_than_a_part_can_hold_are_refused_before_any_work() -> None:
    check_part_rows(Layer("f" * 32, "flatten", 2048), 2048)
    with pytest.raises(
        BadParameters, match=r"extract\.part_rows: a part of flatten with 2048 numbers a row holds at most 262,016 rows"
    ):
        check_part_rows(Layer("f" * 32, "flatten", 2048), 300_000)
