"""Weights are plain tensors, from files that cannot run code."""

import os
from pathlib import Path

import pytest
import torch

from thaw.backbones.weights import digest_tensors, read_weights, write_weights
from thaw.foundation.errors import BadWeights

TENSORS = {"fc.weight": torch.arange(6.0).view(2, 3), "fc.bias": torch.ones(2), "steps": torch.tensor(7)}


def test_both_formats_and_the_usual_wrappings_give_the_same_tensors(tmp_path: Path) -> None:
    write_weights(tmp_path / "a.safetensors", TENSORS, {"architecture": "linear"})
    torch.save(TENSORS, tmp_path / "b.pth")
    torch.save(
        {"state_dict": {f"module.{name}": value for name, value in TENSORS.items()}, "epoch": 3},
        tmp_path / "c.pt",
    )
    expected = digest_tensors(TENSORS)
    for path in tmp_path.iterdir():
        assert digest_tensors(read_weights(path).tensors) == expected, path
    assert read_weights(tmp_path / "a.safetensors").metadata == {"architecture": "linear"}


def test_half_precision_is_widened(tmp_path: Path) -> None:
    write_weights(tmp_path / "half.safetensors", {"w": torch.ones(3, dtype=torch.float16)}, {})
    assert read_weights(tmp_path / "half.safetensors").tensors["w"].dtype == torch.float32


def test_the_digest_sees_names_shapes_types_and_bytes() -> None:
    one = {"w": torch.zeros(2, 3)}
    others = [
        {"v": torch.zeros(2, 3)},
        {"w": torch.zeros(3, 2)},
        {"w": torch.zeros(2, 3).int()},
        {"w": torch.full((2, 3), 1e-45)},
    ]
    assert len({digest_tensors(tensors) for tensors in (one, *others)}) == 5


class Payload:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("ran-code",)


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"w": torch.ones(1), "x": Payload()}, "evil.pth")
    with pytest.raises(BadWeights, match="only files of plain tensors"):
        read_weights(Path("evil.pth"))
    assert not Path("ran-code").exists()


@pytest.mark.parametrize("name", ["torn.pth", "torn.safetensors", "empty.pth", "empty.safetensors"])
def test_a_damaged_file_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name.endswith("pth"):
        torch.save(TENSORS, path)
    else:
        write_weights(path, TENSORS, {})
    path.write_bytes(path.read_bytes()[: 0 if name.startswith("empty") else 60])
    with pytest.raises(BadWeights, match=name):
        read_weights(path)


def test_missing_and_tensorless_files_are_said_so(tmp_path: Path) -> None:
    with pytest.raises(BadWeights, match="no file"):
        read_weights(tmp_path / "none.pth")
    torch.save({"epoch": 3}, tmp_path / "none.pth")
    with pytest.raises(BadWeights, match="holds no tensors"):
        read_weights(tmp_path / "none.pth")
