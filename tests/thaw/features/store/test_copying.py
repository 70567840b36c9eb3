"""Features copied from another store: those that are wanted, once each, with what is said of them; the lender stays as it is."""

from pathlib import Path

import pytest
import torch

from thaw.features.store.copying import borrow
from thaw.features.store.store import FeatureStore, Layer
from thaw.foundation.files.atomic import digest_bytes

LAYER = Layer("f" * 32, "flatten", 4)


def digest(number: int) -> bytes:
    return digest_bytes(bytes([number]))


def write(store: FeatureStore, numbers: list[int], dtype: torch.dtype = torch.float32) -> Path:
    features = torch.tensor([[float(number)] * 4 for number in numbers]).to(dtype)
    return store.write(LAYER, [digest(number) for number in numbers], features, {"engine": f"by {numbers[0]}"})


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_only_what_is_wanted_is_copied_with_what_is_said_of_it(dtype: torch.dtype, tmp_path: Path) -> None:
    own, lender = FeatureStore(tmp_path / "own"), FeatureStore(tmp_path / "lender")
    whole = write(lender, [1, 2], dtype)
    for numbers in ([3, 4, 5], [5, 6], [7]):
        write(lender, numbers, dtype)
    before = {path: path.read_bytes() for path in lender.parts(LAYER)}
    wanted = {digest(number) for number in (1, 2, 4, 5, 9)}
    assert borrow(own, lender, LAYER, wanted) == 4
    digests = own.digests(LAYER.fingerprint, LAYER.name).to_pylist()
    assert sorted(digests) == sorted(digest(number) for number in (1, 2, 4, 5))
    assert own.read(LAYER.fingerprint, LAYER.name, [digest(5), digest(1)])[:, 0].tolist() == [5, 1]
    assert {one["engine"] for one in own.stated(LAYER)} <= {"by 1", "by 3", "by 5"}
    assert own.path(LAYER, whole.name).read_bytes() == whole.read_bytes(), "the same rows are the same part"
    assert not own.set_aside_damaged(LAYER.fingerprint, LAYER.name)
    assert {path: path.read_bytes() for path in lender.parts(LAYER)} == before
    assert borrow(own, lender, LAYER, set()) == 0


@pytest.mark.parametrize("harm", ["torn", "flipped"])
def test_a_damaged_part_is_passed_over_and_left(harm: str, tmp_path: Path) -> None:
    own, lender = FeatureStore(tmp_path / "own"), FeatureStore(tmp_path / "lender")
    bad, _ = write(lender, [1, 2]), write(lender, [3])
    content = bytearray(bad.read_bytes())
    if harm == "torn":
        del content[-30:]
    else:
        content[150] ^= 1
    bad.write_bytes(content)
    assert borrow(own, lender, LAYER, {digest(number) for number in (1, 2, 3)}) == 1
    assert bad.read_bytes() == bytes(content) and len(own.parts(LAYER)) == 1


def test_a_lender_that_is_not_there_has_nothing(tmp_path: Path) -> None:
    assert borrow(FeatureStore(tmp_path / "own"), FeatureStore(tmp_path / "gone"), LAYER, {digest(1)}) == 0
