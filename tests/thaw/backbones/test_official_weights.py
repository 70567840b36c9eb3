"""Weights by name: from torch.hub's cache, or drawn from a seed."""

import hashlib
from pathlib import Path

import pytest
import torch
from encoder_folders import sentence_folder

from thaw.backbones import official_weights
from thaw.backbones.official_weights import fetch_weights, official_names, refuse_unknown, weights_of
from thaw.backbones.weights import read_weights
from thaw.foundation.errors import BadArtifact, BadWeights, Unreachable


def official(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> Path:
    """Let one official name stand for `content`, at a closed port; return where torch.hub would keep it."""
    file = f"resnet18-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    names = {"ResNet18_Weights.IMAGENET1K_V1": f"http://127.0.0.1:9/models/{file}"}
    monkeypatch.setattr(official_weights, "official_names", lambda: names)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    cached = tmp_path / "torch" / "hub" / "checkpoints" / file
    cached.parent.mkdir(parents=True)
    return cached


def checkpoint(tmp_path: Path) -> bytes:
    torch.save({"fc.weight": torch.zeros(2, 3)}, tmp_path / "made.pth")
    return (tmp_path / "made.pth").read_bytes()


def test_every_official_name_has_an_address() -> None:
    assert official_names()["ResNet18_Weights.IMAGENET1K_V1"].endswith("resnet18-f37072fd.pth")
    assert len(official_names()) > 80
    assert all(url.startswith("https://") for url in official_names().values())


def test_official_weights_from_the_cache_need_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = checkpoint(tmp_path)
    official(tmp_path, monkeypatch, content).write_bytes(content)
    path = tmp_path / "weights" / "ResNet18_Weights.IMAGENET1K_V1.pth"
    fetch_weights(path)
    assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


def test_without_network_it_says_where_to_lay_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cached = official(tmp_path, monkeypatch, b"x")
    path = tmp_path / "weights" / "ResNet18_Weights.IMAGENET1K_V1.pth"
    with pytest.raises(Unreachable) as raised:
        fetch_weights(path)
    assert str(cached) in str(raised.value)
    assert not path.exists()


def test_a_damaged_cache_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    official(tmp_path, monkeypatch, b"x").write_bytes(b"y")
    with pytest.raises(BadArtifact, match="remove it"):
        fetch_weights(tmp_path / "weights" / "ResNet18_Weights.IMAGENET1K_V1.pth")


class Harm:
    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("harmed"),))


def test_a_checkpoint_that_would_run_code_gets_no_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"fc.weight": Harm()}, "harm.pth")
    content = Path("harm.pth").read_bytes()
    official(tmp_path, monkeypatch, content).write_bytes(content)
    path = tmp_path / "weights" / "ResNet18_Weights.IMAGENET1K_V1.pth"
    with pytest.raises(BadWeights, match="plain tensors"):
        fetch_weights(path)
    assert not path.exists()
    assert not Path("harmed").exists()


@pytest.mark.parametrize("architecture", ["squeezenet1_1", "thaw_small", "shufflenet_v2_x0_5"])
def test_random_weights_are_plain_fitting_and_the_same_each_time(tmp_path: Path, architecture: str) -> None:
    first, second = (
        tmp_path / "1" / f"{architecture}.random.pth",
        tmp_path / "2" / f"{architecture}.random.pth",
    )
    before = torch.get_rng_state()
    fetch_weights(first)
    torch.manual_seed(7)
    fetch_weights(second)
    torch.set_rng_state(before)
    assert first.read_bytes() == second.read_bytes()
    from thaw.backbones.architectures import build

    build(architecture, 1000).load_state_dict(dict(read_weights(first).tensors), strict=True)


def test_an_encoder_of_texts_is_brought_and_converted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    path, told = tmp_path / "weights" / "small--tiny.safetensors", []
    refuse_unknown(path)
    with pytest.raises(Unreachable, match="by hand"):
        fetch_weights(path, told.append)
    assert not path.exists()
    (tmp_path / "torch/hub/encoders").mkdir(parents=True)
    sentence_folder(tmp_path / "torch/hub/encoders/small--tiny")
    fetch_weights(path, told.append)
    assert told[-1].endswith("small--tiny: is here")
    assert read_weights(path).metadata["architecture"].startswith("bert-18x16")


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("glove.6B.51d.safetensors", "glove.6B.50d"),
        ("ResNet18_Weights.IMAGENET1K_V3.pth", "ResNet18_Weights.IMAGENET1K_V1"),
        ("resnet18_weights.imagenet1k_v1.pth", "ResNet18_Weights.IMAGENET1K_V1"),
        ("resnet81.random.pth", "resnet18"),
        ("resnet18.randm.pth", "resnet18.random"),
        ("ResNet18_Weights.IMAGENET1K_V1.safetensors", "ResNet18_Weights.IMAGENET1K_V1"),
        ("%%%%.pth", "no name is similar"),
    ],
)
def test_unknown_names_are_refused_with_what_is_near(tmp_path: Path, name: str, near: str) -> None:
    with pytest.raises(BadWeights, match="does not exist") as raised:
        fetch_weights(tmp_path / name)
    assert near in str(raised.value)
    assert not (tmp_path / name).exists()


def test_what_exists_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "mine.pth"
    path.write_bytes(b"mine")
    fetch_weights(path)
    assert path.read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("resnet50", "data/weights/ResNet50_Weights.IMAGENET1K_V2.pth"),
        ("ResNet50_Weights.IMAGENET1K_V1", "data/weights/ResNet50_Weights.IMAGENET1K_V1.pth"),
        ("resnet50.random", "data/weights/resnet50.random.pth"),
        ("thaw_small", "data/weights/thaw_small.safetensors"),
        ("thaw_words", "data/weights/thaw_words.safetensors"),
        ("thaw_sounds", "data/weights/thaw_sounds.safetensors"),
        ("somewhere/own.pth", "somewhere/own.pth"),
        ("own.safetensors", "own.safetensors"),
        ("glove.6B.100d", "data/weights/glove.6B.100d.safetensors"),
        ("BAAI/bge-small-en-v1.5", "data/weights/BAAI--bge-small-en-v1.5.safetensors"),
    ],
)
def test_a_backbone_by_name_is_a_file(name: str, path: str) -> None:
    assert weights_of(name) == Path(path)


@pytest.mark.parametrize("name", ["resnet81", "resnet81.random", "ResNet50_Weights.IMAGENET1K_V9", "", "../resnet18"])
def test_a_name_that_stands_for_nothing_is_refused(name: str) -> None:
    with pytest.raises(BadWeights, match="is no architecture"):
        weights_of(name)


@pytest.mark.parametrize("name", ["own.ckpt", "own.pt", "own.SAFETENSORS", "sub/own.bin"])
def test_a_file_of_any_usual_ending_is_a_file(name: str) -> None:
    assert weights_of(name) == Path(name)


def test_an_existing_file_needs_no_ending(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint-0400"
    path.touch()
    assert weights_of(str(path)) == path
