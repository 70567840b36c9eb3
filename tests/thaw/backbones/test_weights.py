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
        {"state_dict": TENSORS, "epoch": 3},
        tmp_path / "c.pt",
    )
    expected = digest_tensors(TENSORS)
    for path in tmp_path.iterdir():
        assert digest_tensors(read_weights(path).tensors) == expected, path
    assert read_weights(tmp_path / "a.safetensors").metadata == {"architecture": "linear"}


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    metadata = {f"{name} ": f'{name} "é👍\\ \n\t\x01\x7f/' for name in "fedcba"}
    for number in range(10):
        write_weights(tmp_path / str(number), TENSORS, dict(reversed(metadata.items())) if number % 2 else metadata)
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
    read = read_weights(tmp_path / "0")
    assert read.metadata == metadata and digest_tensors(read.tensors) == digest_tensors(TENSORS)
    write_weights(tmp_path / "bare", TENSORS, {})
    assert digest_tensors(read_weights(tmp_path / "bare").tensors) == digest_tensors(TENSORS)


@pytest.mark.parametrize("name", ["a.SAFETENSORS", "a.pth", "a", "a.ckpt"])
def test_the_content_tells_the_format_and_not_the_ending(name: str, tmp_path: Path) -> None:
    write_weights(tmp_path / name, TENSORS, {"architecture": "linear"})
    assert read_weights(tmp_path / name).metadata == {"architecture": "linear"}
    torch.save(TENSORS, tmp_path / "b.safetensors")
    assert digest_tensors(read_weights(tmp_path / "b.safetensors").tensors) == digest_tensors(TENSORS)


OTHER_FILES = {
    b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 46830571\n": "Git LFS pointer.*git lfs pull",
    b"../.git/annex/objects/x"[2:]: "git annex get",
    b"\n <!DOCTYPE html><html><head><title>Sign in</title>": "is a web page",
    b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>": "XML document, perhaps a server's error",
    b"\x89HDF\r\n\x1a\n" + bytes(50): "HDF5 file, as Keras",
    b"\x1f\x8b" + bytes(50): "packed with gzip; unpack it",
    bytes(4096): "nothing but zero bytes",
    b"": "is empty",
    b"hello": "damaged, or no file of weights",
}


@pytest.mark.parametrize("content", OTHER_FILES, ids=lambda content: repr(content[:12]))
def test_a_file_that_is_something_else_is_called_by_its_name(content: bytes, tmp_path: Path) -> None:
    for name in ("w.pth", "w.safetensors"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadWeights, match=OTHER_FILES[content]):
            read_weights(tmp_path / name)


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
