"""Checkpoints of the first version that TensorFlow itself wrote (`tests/fixtures/tensorflow/make.py`), whole and damaged."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thaw.backbones.converting.first_checkpoints import is_first_version, read_first_checkpoint
from thaw.backbones.converting.tensorflow_files import read_bundle
from thaw.foundation.errors import BadWeights

FILES = Path(__file__).parents[3] / "fixtures/tensorflow"
NUMBERS = FILES / "numbers/first_version.ckpt"
NETWORK = FILES / "quick_thought_bi/first_version.ckpt"


def test_it_is_told_by_its_end() -> None:
    assert is_first_version(NUMBERS) and is_first_version(NETWORK)
    assert not is_first_version(NUMBERS.with_name("model.ckpt.index")) and not is_first_version(Path("README.md"))


def test_numbers_are_read_exactly() -> None:
    checkpoint = read_first_checkpoint(NUMBERS)
    wanted = json.loads((NUMBERS.parent / "expected.json").read_text())
    assert checkpoint.shapes() == {"float32": (5, 4)} and checkpoint.tensor("float32").tolist() == wanted["float32"]
    with pytest.raises(BadWeights, match="has no tensor `other`"):
        checkpoint.tensor("other")


def test_both_versions_of_a_network_hold_the_same() -> None:
    first, second = read_first_checkpoint(NETWORK), read_bundle(NETWORK.with_name("model.ckpt-7"))
    assert first.shapes() == second.shapes() and len(first.shapes()) == 18
    for name in first.shapes():
        assert first.tensor(name).tolist() == second.tensor(name).tolist(), name
    with pytest.raises(BadWeights, match="`global_step` holds no numbers that can be read"):
        first.tensor("global_step")


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 251), st.integers(1, 255))
def test_no_changed_byte_goes_unseen_or_breaks_the_reader(place: int, change: int) -> None:
    content = bytearray(NUMBERS.read_bytes())
    content[place % len(content)] ^= change
    wanted = json.loads((NUMBERS.parent / "expected.json").read_text())["float32"]
    try:
        assert _read(bytes(content)) == wanted
    except BadWeights as error:
        assert "fetch it again" in str(error)


def test_a_file_that_is_cut_short_is_refused() -> None:
    content = NUMBERS.read_bytes()
    for size in (0, 47, len(content) - 1):
        with pytest.raises(BadWeights, match="fetch it again"):
            _read(content[:size])


def _read(content: bytes) -> object:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.ckpt"
        path.write_bytes(content)
        return read_first_checkpoint(path).tensor("float32").tolist()
