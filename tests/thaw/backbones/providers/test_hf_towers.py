"""Vision towers of transformers against transformers' own hidden states; all are drawn, none is downloaded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from provided_networks import OF_HF, SIDE, TOWER, hf_model
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.backbones.blocks import blocks_of
from thaw.backbones.converting.converting import convert
from thaw.backbones.converting.source import Source
from thaw.backbones.providers.hf_networks import architecture_of, config_of, network_named
from thaw.backbones.splitting import split_at
from thaw.backbones.tokens import tokens_of
from thaw.foundation.errors import BadParameters, BadWeights
from thaw.params.sections import BackboneParams

PROCESSOR = {
    "size": {"shortest_edge": SIDE + 8},
    "do_center_crop": True,
    "crop_size": {"height": SIDE, "width": SIDE},
    "resample": 3,
}


def converted(model: Any, folder: Path, processor: Mapping[str, Any] = PROCESSOR, **params: Any) -> Backbone:
    model.save_pretrained(folder / "tower")
    (folder / "tower" / "preprocessor_config.json").write_text(json.dumps(processor))
    convert(Source(folder / "tower"), folder / "tower.safetensors")
    return read_backbone(BackboneParams(weights=str(folder / "tower.safetensors"), layers=("blocks",), **params))


@pytest.mark.parametrize("kind", OF_HF)
def test_cut_layers_are_hidden_states(kind: str, tmp_path: Path) -> None:
    model = hf_model(kind)
    backbone = converted(model, tmp_path)
    assert backbone.layers == ("layers.0", "layers.1", "layers.2", "pooled")
    examples = torch.randn(2, 3, SIDE, SIDE)
    with torch.no_grad():
        wanted, found = model(examples, output_hidden_states=True), backbone.extractor(examples)
    for number, own in enumerate(wanted.hidden_states[1:]):
        torch.testing.assert_close(found[f"layers.{number}"], own, atol=1e-5, rtol=1e-5)
    if kind in (
        "vit",
        "deit",
    ):  # transformers puts a layer behind the class token that is trained with its classifier alone
        pooled = wanted.last_hidden_state[:, 0]
    elif kind == "ijepa":
        pooled = wanted.last_hidden_state.mean(1)
    else:
        pooled = wanted.pooler_output
    torch.testing.assert_close(found["pooled"], pooled, atol=1e-5, rtol=1e-5)
    tokens = tokens_of(backbone.model)
    assert tokens is not None
    assert tokens.patches(found["layers.0"]).shape[1] == (SIDE // 8) ** 2


@pytest.mark.parametrize("kind", ["dinov3_vit", "clip_vision_model"])
def test_the_parts_of_a_split_give_the_whole(kind: str, tmp_path: Path) -> None:
    backbone = converted(hf_model(kind), tmp_path)
    blocks = blocks_of(backbone.model)
    lower, upper = split_at(backbone.model, blocks, 1, output="pooled")
    assert lower is not None
    examples = torch.randn(2, 3, SIDE, SIDE)
    with torch.no_grad():
        torch.testing.assert_close(upper(lower(examples)), backbone.extractor(examples)["pooled"], atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("kind", ["dinov2", "vit", "siglip_vision_model"])
def test_positions_are_interpolated_as_transformers_does(kind: str, tmp_path: Path) -> None:
    model = hf_model(kind)
    larger = {**PROCESSOR, "crop_size": {"height": 48, "width": 48}, "size": {"shortest_edge": 56}}
    backbone = converted(model, tmp_path, larger)
    examples = torch.randn(2, 3, 48, 48)
    options = {} if kind == "dinov2" else {"interpolate_pos_encoding": True}
    with torch.no_grad():
        wanted = model(examples, output_hidden_states=True, **options).hidden_states[-1]
        torch.testing.assert_close(backbone.extractor(examples)["layers.2"], wanted, atol=1e-5, rtol=1e-5)


def test_the_name_of_an_architecture_holds_its_settings() -> None:
    for kind in OF_HF:
        config = CONFIG_MAPPING[kind](**TOWER, **OF_HF[kind])
        name = architecture_of(config)
        assert architecture_of(config_of(name)) == name
        again = network_named(name, 4)
        assert again is not None
        assert {*again.state_dict()} == {*network_named(name, 4, drawn=False).state_dict()}  # type: ignore[union-attr]


def test_a_tower_beside_a_text_tower_is_read(tmp_path: Path) -> None:
    from transformers import CLIPConfig, CLIPModel

    text = {
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "vocab_size": 50,
    }
    whole = CLIPModel(CLIPConfig(text_config=text, vision_config=dict(TOWER), projection_dim=8)).eval()
    backbone = converted(whole, tmp_path)
    examples = torch.randn(2, 3, SIDE, SIDE)
    with torch.no_grad():
        wanted = whole.vision_model(examples).pooler_output
        torch.testing.assert_close(backbone.extractor(examples)["pooled"], wanted, atol=1e-5, rtol=1e-5)


def test_the_licence_comes_from_the_card(tmp_path: Path) -> None:
    model = hf_model("vit")
    (tmp_path / "tower").mkdir()
    (tmp_path / "tower" / "README.md").write_text("---\nlicense: other\nlicense_name: dinov3-license\n---\n# A card\n")
    backbone = converted(model, tmp_path)
    assert backbone.origin is not None
    assert backbone.origin.licence == "dinov3-license"
    assert "its own terms" in str(backbone.origin.caution)


def test_pickles_of_tensors_are_read_and_others_refused(tmp_path: Path) -> None:
    model = hf_model("dinov2")
    tower = tmp_path / "tower"
    backbone = converted(model, tmp_path)
    (tower / "model.safetensors").unlink()
    torch.save(model.state_dict(), tower / "pytorch_model.bin")
    assert converted_again(tower).weights_digest == backbone.weights_digest
    torch.save({"embeddings.cls_token": Path("somewhere")}, tower / "pytorch_model.bin")
    with pytest.raises(BadWeights, match="cannot be read by transformers"):
        converted_again(tower)


def converted_again(tower: Path) -> Backbone:
    out = tower.parent / "again.safetensors"
    convert(Source(tower), out)
    return read_backbone(BackboneParams(weights=str(out)))


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("model.safetensors", b"torn", "cannot be read by transformers"),
        ("config.json", b'{"model_type": "swin", "image_size": 32, "patch_size": 4}', "type swin"),
        ("preprocessor_config.json", b'{"size": {"height": 32, "width": 48}}', "squares are read"),
        ("preprocessor_config.json", b'{"resample": 1}', "method 1"),
    ],
)
def test_damaged_folders_are_refused(tmp_path: Path, file: str, content: bytes, said: str) -> None:
    converted(hf_model("vit"), tmp_path)
    (tmp_path / "tower" / file).write_bytes(content)
    with pytest.raises(BadWeights, match=said):
        converted_again(tmp_path / "tower")


def test_a_folder_that_lacks_a_tensor_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    converted(hf_model("vit"), tmp_path)
    file = tmp_path / "tower" / "model.safetensors"
    tensors = load_file(file)
    del tensors["embeddings.cls_token"]
    save_file(tensors, file, {"format": "pt"})
    with pytest.raises(BadWeights, match=r"has no `embeddings\.cls_token`"):
        converted_again(tmp_path / "tower")


def test_unknown_architectures_are_refused() -> None:
    with pytest.raises(BadParameters, match="no vision tower"):
        network_named("hf/swin", 3)
    with pytest.raises(BadParameters, match="refuses"):
        network_named("hf/vit?hidden_size=%22wide%22", 3)
