"""Features at hand in several stores: found as the stores themselves have them, and nothing else."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from thaw.features.store.store import FeatureStore, Layer
from thaw.foundation.errors import BadArtifact
from thaw.foundation.files.atomic import digest_bytes
from thaw.models.scoring.known import Known

LAYER = Layer("f" * 32, "flatten", 4)


def digest(number: int) -> bytes:
    return digest_bytes(number.to_bytes(4, "little"))


def write(store: FeatureStore, numbers: list[int], digests: list[bytes] | None = None) -> Path:
    features = torch.tensor([[float(number)] * 4 for number in numbers])
    return store.write(LAYER, digests or [digest(number) for number in numbers], features, {})


@settings(max_examples=30)
@given(
    held=st.lists(st.sets(st.integers(0, 60), min_size=1), min_size=1, max_size=6),
    added=st.sets(st.integers(50, 80)),
    asked=st.lists(st.integers(0, 90)),
)
def test_it_has_what_the_stores_have_and_what_was_added(
    held: list[set[int]], added: set[int], asked: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    one, two = (FeatureStore(tmp_path_factory.mktemp("store")) for _ in range(2))
    for place, numbers in enumerate(held):
        write((one, two)[place % 2], sorted(numbers))
    known = Known(LAYER, (one, two))
    if added:
        known.add(write(two, sorted(added)))
    there = set().union(*held) | added
    assert [known.has(digest(number)) for number in asked] == [number in there for number in asked]
    wanted = [number for number in asked if number in there]
    assert known.read([digest(number) for number in wanted])[:, 0].tolist() == wanted


def test_digests_that_begin_alike_are_told_apart(tmp_path: Path) -> None:
    store, alike = FeatureStore(tmp_path), [digest(0)[:8] + digest(number)[8:] for number in range(5)]
    write(store, [0, 1, 2], alike[:3])
    known = Known(LAYER, (store,))
    assert [known.has(one) for one in alike] == [True, True, True, False, False]
    assert known.read(alike[:3][::-1])[:, 0].tolist() == [2, 1, 0]


@pytest.mark.parametrize("harm", ["torn", "flipped"])
def test_a_damaged_part_is_passed_over_and_left_as_it_is(harm: str, tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    bad, good = write(store, [1, 2]), write(store, [3])
    content = bytearray(bad.read_bytes())
    if harm == "torn":
        del content[-30:]
    else:
        content[len(b"PAR1") + 100] ^= 1
    bad.write_bytes(content)
    known = Known(LAYER, (store,))
    assert [known.has(digest(number)) for number in (1, 2, 3)] == [False, False, True]
    assert store.parts(LAYER) == sorted([bad, good])


def test_rows_that_are_gone_are_not_made_up(tmp_path: Path) -> None:
    with pytest.raises(BadArtifact, match="gone or damaged"):
        Known(LAYER, (FeatureStore(tmp_path),)).read([digest(1)])


def test_float16_comes_as_float32(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    store.write(LAYER, [digest(1)], torch.ones(1, 4).half(), {})
    found = Known(LAYER, (store,)).read([digest(1)])
    assert found.dtype == torch.float32 and found.tolist() == [[1.0] * 4]
