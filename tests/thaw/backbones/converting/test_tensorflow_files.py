"""Checkpoints that TensorFlow itself wrote (`tests/fixtures/tensorflow/make.py`), whole and damaged."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thaw.backbones.converting.leveldb_tables import table_entries
from thaw.backbones.converting.protobuf import fields_of
from thaw.backbones.converting.tensorflow_files import prefix_in, read_bundle
from thaw.foundation.errors import BadWeights

FILES = Path(__file__).parents[3] / "fixtures/tensorflow"
NUMBERS = FILES / "numbers/model.ckpt"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(NUMBERS.parent, tmp_path / "numbers")
    return tmp_path / "numbers/model.ckpt"


def test_every_type_is_read_exactly_and_parts_are_joined() -> None:
    bundle = read_bundle(NUMBERS)
    wanted = json.loads((NUMBERS.parent / "expected.json").read_text())
    assert bundle.shards == 3
    for name, values in wanted.items():
        found = bundle.tensor(name)
        assert found.tolist() == values, name
        assert found.dtype.name == {
            "bfloat16": "float32",
            "scalar": "float32",
            "none": "float32",
            "parts/table": "float32",
        }.get(name, name)
    assert bundle.shapes()["parts/table"] == (7, 2) and bundle.part_starts("parts/table") == [0, 3, 5]
    assert bundle.part_starts("float32") == [0]


def test_strings_and_unknown_names_are_refused() -> None:
    bundle = read_bundle(NUMBERS)
    with pytest.raises(BadWeights, match="`string` holds no numbers"):
        bundle.tensor("string")
    with pytest.raises(BadWeights, match="has no tensor `other`"):
        bundle.tensor("other")


def test_a_checkpoint_is_found_by_its_folder_its_file_and_its_prefix(tmp_path: Path) -> None:
    folder = FILES / "quick_thought_uni"
    wanted = folder / "model.ckpt-7"
    assert {prefix_in(each) for each in (folder, wanted, folder / "model.ckpt-7.index")} == {wanted}
    assert prefix_in(FILES / "nnlm_saved_model") == FILES / "nnlm_saved_model/variables/variables"
    assert prefix_in(tmp_path) is None and prefix_in(Path("README.md")) is None


def test_of_several_checkpoints_the_named_one_counts(tmp_path: Path) -> None:
    for name in ("model.ckpt-7", "model.ckpt-9"):
        (tmp_path / f"{name}.index").write_bytes(b"")
    with pytest.raises(BadWeights, match=r"holds 2 checkpoints; name one of them, such as .*model\.ckpt-9"):
        prefix_in(tmp_path)
    (tmp_path / "checkpoint").write_text(
        'model_checkpoint_path: "/elsewhere/model.ckpt-7"\nall_model_checkpoint_paths: "x"\n'
    )
    assert prefix_in(tmp_path) == tmp_path / "model.ckpt-7"


def test_a_changed_byte_of_a_tensor_is_found(copy: Path) -> None:
    for path in copy.parent.glob("*.data-*"):
        data = bytearray(path.read_bytes())
        data[10] ^= 1
        path.write_bytes(data)
    bundle, damaged = read_bundle(copy), 0
    for name in json.loads((copy.parent / "expected.json").read_text()):
        try:
            bundle.tensor(name)
        except BadWeights as error:
            damaged += 1
            assert "differs from its checksum" in str(error)
    assert damaged == 3, "one tensor of each file"


def test_missing_and_shorter_files_are_named(copy: Path) -> None:
    path = copy.with_name("model.ckpt.data-00001-of-00003")
    names = json.loads((copy.parent / "expected.json").read_text())
    path.write_bytes(path.read_bytes()[:5])
    with pytest.raises(BadWeights, match="00001-of-00003 is cut short"):
        [read_bundle(copy).tensor(name) for name in names]
    path.unlink()
    with pytest.raises(BadWeights, match="00001-of-00003 is missing"):
        [read_bundle(copy).tensor(name) for name in names]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 562), st.integers(1, 255))
def test_no_changed_byte_of_the_table_goes_unseen_or_breaks_the_reader(
    tmp_path_factory: pytest.TempPathFactory, place: int, change: int
) -> None:
    folder = tmp_path_factory.mktemp("changed")
    data = bytearray(NUMBERS.with_name("model.ckpt.index").read_bytes())
    data[place] ^= change
    (folder / "model.ckpt.index").write_bytes(data)
    whole = read_bundle(NUMBERS)
    try:
        found = read_bundle(folder / "model.ckpt")
    except BadWeights as error:
        assert "is damaged" in str(error) and "fetch it again" in str(error)
    else:  # the padding of the footer, and the table that holds no more than an empty list
        assert found.entries == whole.entries and found.parts == whole.parts


@pytest.mark.parametrize("size", [0, 10, 47, 300])
def test_a_table_that_is_cut_short_is_refused(copy: Path, size: int) -> None:
    path = copy.with_name("model.ckpt.index")
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(BadWeights, match=r"model\.ckpt\.index is damaged \(it is no table, or cut short\)"):
        read_bundle(copy)


@given(st.binary(max_size=60))
def test_readers_of_any_bytes_raise_nothing_else(data: bytes) -> None:
    for read in (fields_of, table_entries):
        try:
            list(read(data))  # type: ignore[operator]
        except BadWeights:
            continue


def test_halves_keep_their_numbers() -> None:
    assert read_bundle(NUMBERS).tensor("bfloat16").dtype == np.float32
