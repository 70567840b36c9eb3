"""Networks of timm against timm's own features; all are drawn, none is downloaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from provided_networks import OF_TIMM, SIDE, timm_network
from safetensors.torch import save_file
from torch import Tensor, nn

from thaw.backbones.backbone import cut, read_backbone, read_written_backbone, write_backbone
from thaw.backbones.blocks import blocks_of
from thaw.backbones.providers.timm_networks import adapted, network_named, preprocessing_of
from thaw.backbones.splitting import split_at
from thaw.backbones.tokens import Tokens, tokens_of
from thaw.backbones.weights import Weights
from thaw.foundation.errors import BadParameters, BadWeights
from thaw.kinds.images.preprocessing import Preprocessing
from thaw.params.sections import BackboneParams


@pytest.fixture
def examples() -> Tensor:
    return torch.randn(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def outputs_of(network: nn.Module, layers: tuple[str, ...], examples: Tensor) -> dict[str, Tensor]:
    from thaw.backbones.backbone import _extractor

    found: dict[str, Tensor] = _extractor(network, layers)(examples)
    return found


@pytest.mark.parametrize("name", OF_TIMM)
def test_cut_layers_are_what_timm_gives(name: str, examples: Tensor) -> None:
    network = timm_network(name)
    layers = network.cut_layers
    assert len(layers) > 1
    with torch.no_grad():
        found = outputs_of(network, layers, examples)
        options = {"norm": False, "intermediates_only": True}
        wanted = network.forward_intermediates(examples, indices=len(layers), **options)
    tokens = tokens_of(network)
    for layer, own in zip(layers, wanted, strict=True):
        given = found[layer]
        if given.dim() == 3:
            assert tokens is not None
            given = tokens.patches(given).transpose(1, 2).unflatten(2, own.shape[2:])
        torch.testing.assert_close(given, own, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", OF_TIMM)
def test_the_parts_of_a_split_give_the_whole(name: str, examples: Tensor) -> None:
    network = timm_network(name)
    blocks = blocks_of(network)
    assert len(blocks) > 2
    assert blocks[-1].output not in network.cut_layers
    lower, upper = split_at(network, blocks, 1, output=blocks[-1].output)
    assert lower is not None
    with torch.no_grad():
        wanted = network.forward_head(network.forward_features(examples), pre_logits=True)
        torch.testing.assert_close(upper(lower(examples)).flatten(1), wanted, atol=1e-5, rtol=1e-5)


def test_registers_and_the_class_token_are_no_patches() -> None:
    assert tokens_of(timm_network("vit_small_patch14_reg4_dinov2")) == Tokens(5, has_class=True)
    assert tokens_of(timm_network("vit_base_patch16_siglip_224")) == Tokens(0, has_class=False)
    assert tokens_of(timm_network("convnext_atto")) is None


def test_dinov2_takes_224_pixels_unless_asked() -> None:
    usual = preprocessing_of("timm/vit_small_patch14_dinov2.lvd142m")
    asked = preprocessing_of("timm/vit_small_patch14_dinov2.lvd142m@518")
    assert isinstance(usual, Preprocessing)
    assert isinstance(asked, Preprocessing)
    assert (usual.crop, asked.crop) == (224, 518)
    assert usual.mean == (0.485, 0.456, 0.406)


@pytest.mark.parametrize("name", ["resnet18.a1_in1k", "vit_base_patch16_siglip_224.webli", "mobilenetv3_small_100"])
def test_the_preprocessing_is_that_of_timm(name: str) -> None:
    from PIL import Image

    config = timm.get_pretrained_cfg(name)
    own = timm.data.create_transform(**timm.data.resolve_data_config(config.to_dict()), is_training=False)
    picture = Image.effect_mandelbrot((300, 250), (-2, -1.5, 1, 1.5), 60).convert("RGB")
    ours = preprocessing_of(f"timm/{name}")
    assert isinstance(ours, Preprocessing)
    torch.testing.assert_close(ours.normalise(ours.pixels(picture)), own(picture), atol=2e-6, rtol=0)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("timm/resnet81", "timm/resnet18"),
        ("timm/resnet18.no_such_tag", "timm/resnet18.a1_in1k"),
        ("timm/vit_tiny_patch16_224@100", "takes no inputs of 100 pixels"),
    ],
)
def test_unknown_names_are_refused_with_similar_ones(name: str, said: str) -> None:
    with pytest.raises(BadParameters, match=said.replace(".", r"\.")):
        network_named(name, 5)


def test_files_of_another_size_are_fitted(tmp_path: Path) -> None:
    """A file as timm writes it, with positions for 160 pixels, on the network for 96."""
    network = timm.create_model("test_vit", num_classes=0)
    save_file(network.state_dict(), tmp_path / "vit.safetensors")
    params = BackboneParams(weights=str(tmp_path / "vit.safetensors"), architecture="timm/test_vit@96")
    backbone = read_backbone(params)
    assert backbone.features(backbone.preprocessing.blank()[None]).keys() == {*backbone.layers}
    own = timm.create_model("test_vit", num_classes=0, img_size=96)
    own.load_state_dict(adapted("timm/test_vit@96", network.state_dict()))
    examples = torch.randn(2, 3, 96, 96)
    torch.testing.assert_close(
        backbone.extractor(examples)[backbone.layers[0]], own.eval()(examples), atol=1e-5, rtol=1e-5
    )


def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    save_file(timm.create_model("test_resnet", num_classes=3).state_dict(), tmp_path / "resnet.safetensors")
    with pytest.raises(BadWeights, match="does not fit timm/test_vit"):
        read_backbone(BackboneParams(weights=str(tmp_path / "resnet.safetensors"), architecture="timm/test_vit"))


@pytest.mark.parametrize(("pooling", "dim"), [("average", 64), ("class", 64), ("class_average", 128)])
def test_a_sliced_backbone_gives_the_same_features(tmp_path: Path, pooling: Any, dim: int) -> None:
    tensors = network_named("timm/test_vit", 3).state_dict()  # type: ignore[union-attr]
    preprocessing = preprocessing_of("timm/test_vit")
    assert preprocessing is not None
    whole = cut("timm/test_vit", Weights(tensors, {}), ("blocks.1",), preprocessing, pooling)
    write_backbone(whole, tmp_path)
    sliced = read_written_backbone(tmp_path)
    batch = torch.randint(0, 256, (2, 3, 160, 160), dtype=torch.uint8)
    assert torch.equal(sliced.features(batch)["blocks.1"], whole.features(batch)["blocks.1"])
    assert sliced.features(batch)["blocks.1"].shape == (2, dim)
    assert len(sliced.needed_tensors()) < len(tensors) / 2


def test_thirds_are_refused_of_patches() -> None:
    tensors = network_named("timm/test_vit", 3).state_dict()  # type: ignore[union-attr]
    preprocessing = preprocessing_of("timm/test_vit")
    assert preprocessing is not None
    backbone = replace(cut("timm/test_vit", Weights(tensors, {}), ("blocks.1",), preprocessing), pooling="thirds")
    with pytest.raises(BadParameters, match="thirds are of time"):
        backbone.features(torch.zeros(1, 3, 160, 160, dtype=torch.uint8))
