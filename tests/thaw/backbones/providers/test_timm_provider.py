"""timm's weights by name: from the cache of Hugging Face, drawn, or unreachable."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm
import torch
from hub_cache import lay_snapshot
from safetensors.torch import save_file

from thaw.backbones.backbone import read_backbone, read_written_backbone, write_backbone
from thaw.backbones.official_weights import fetch_weights, weights_of
from thaw.backbones.providers.origin import Origin
from thaw.foundation.errors import BadWeights, Unreachable
from thaw.params.sections import BackboneParams

NAME = "test_vit.r160_in1k"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's cache with one network's weights, laid there by hand, and no network."""
    snapshot = lay_snapshot(tmp_path / "hub", f"timm/{NAME}", monkeypatch)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        save_file(timm.create_model("test_vit").state_dict(), snapshot / "model.safetensors")
    return snapshot


def test_weights_in_the_cache_are_taken_without_a_network(cache: Path, tmp_path: Path) -> None:
    told: list[str] = []
    file = tmp_path / weights_of(f"timm/{NAME}").name
    fetch_weights(file, told.append)
    assert told == [f"bringing https://huggingface.co/timm/{NAME} (licence: apache-2.0, 1.5 MB)"]
    backbone = read_backbone(BackboneParams(weights=str(file)))
    assert backbone.architecture == f"timm/{NAME}"
    assert backbone.origin == Origin(
        f"https://huggingface.co/timm/{NAME}", "apache-2.0", backbone.origin.nbytes, ("r160_in1k",)
    )
    own = timm.create_model("test_vit")
    timm.models.load_checkpoint(own, str(cache / "model.safetensors"))
    examples = torch.randn(2, 3, 160, 160)
    with torch.no_grad():
        wanted = own.eval().forward_head(own.forward_features(examples), pre_logits=True)
    torch.testing.assert_close(backbone.extractor(examples)[backbone.layers[0]], wanted, atol=1e-5, rtol=1e-5)
    write_backbone(backbone, tmp_path)
    assert read_written_backbone(tmp_path).origin == backbone.origin


def test_without_a_network_the_remedy_by_hand_is_said(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"models--timm--test_convnext\.r160_in1k, which belongs into"):
        fetch_weights(tmp_path / "timm--test_convnext.r160_in1k.safetensors")


def test_torn_weights_in_the_cache_are_refused(cache: Path, tmp_path: Path) -> None:
    whole = (cache / "model.safetensors").read_bytes()
    (cache / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadWeights, match="timm cannot load the weights in its cache"):
        fetch_weights(tmp_path / f"timm--{NAME}.safetensors")
    assert not (tmp_path / f"timm--{NAME}.safetensors").exists()


def test_random_weights_are_the_same_each_time(tmp_path: Path) -> None:
    first, second = (
        tmp_path / "a" / "timm--test_vit.random.safetensors",
        tmp_path / "b" / "timm--test_vit.random.safetensors",
    )
    for file in (first, second):
        file.parent.mkdir()
        fetch_weights(file)
    assert first.read_bytes() == second.read_bytes()


def test_torchvision_has_a_prefix_too() -> None:
    assert weights_of("torchvision/resnet18") == weights_of("resnet18")
