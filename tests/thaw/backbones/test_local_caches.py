"""What is found in caches that are laid by hand."""

import json
from pathlib import Path

import pytest
from hub_cache import lay_snapshot

from thaw.backbones.local_caches import local_backbones


def lay(path: Path, nbytes: int = 10) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"0" * nbytes)


def test_shipped_ones_project_files_and_caches_are_found_the_smallest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch_home, hub, folder = tmp_path / "torch", tmp_path / "hub", tmp_path / "weights"
    monkeypatch.setenv("TORCH_HOME", str(torch_home))
    for number, (name, settings) in enumerate(
        {
            "lab/clip": {"model_type": "clip", "vision_config": {"hidden_size": 8}},
            "lab/dino": {"model_type": "dinov2"},
            "lab/other": {"model_type": "llama"},
        }.items()
    ):
        snapshot = lay_snapshot(hub, name, monkeypatch)
        (snapshot / "config.json").write_text(json.dumps(settings))
        lay(snapshot / "model.safetensors", 10 + number)
    lay(lay_snapshot(hub, "timm/resnet18.a1_in1k", monkeypatch) / "model.safetensors", 20)
    lay(lay_snapshot(hub, "timm/resnet81.a1_in1k", monkeypatch) / "model.safetensors", 20)
    lay_snapshot(hub, "lab/torn", monkeypatch)
    lay(torch_home / "hub/checkpoints/resnet18-f37072fd.pth", 30)
    lay(torch_home / "hub/encoders/glove.6B.zip", 40)
    lay(torch_home / "hub/encoders/org--bert/model.safetensors", 60)
    lay(torch_home / "hub/encoders/org--bert/config.json")
    lay(folder / "own.pth", 50)
    lay(folder / "resnet18.random.pth")
    lay(folder / "hf--lab--dino.safetensors", 70)
    found = [(each.name, each.kind) for each in local_backbones(folder) if not each.name.startswith("thaw_")]
    words = [(f"glove.6B.{dim}d", "texts") for dim in (100, 200, 300, 50)]
    assert found == [
        ("hf/lab/clip", "images"),
        ("timm/resnet18.a1_in1k", "images"),
        ("ResNet18_Weights.IMAGENET1K_V1", "images"),
        *words,
        (str(folder / "own.pth"), "images"),
        ("org/bert", "texts"),
        (str(folder / "hf--lab--dino.safetensors"), "images"),
    ]
    shipped = {each.name: each.kind for each in local_backbones(folder) if each.name.startswith("thaw_")}
    assert shipped == {"thaw_small": "images", "thaw_words": "texts", "thaw_sounds": "sounds"}
