"""Text towers of transformers' CLIP and SigLIP: the names of classes as a head, against the logits of the library itself."""

from pathlib import Path

import pytest
import torch
from dual_towers import LENGTH, dual_model, lay_dual, tokenizer
from hub_cache import lay_snapshot

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.backbones.converting.converting import convert
from thaw.backbones.converting.source import Source
from thaw.backbones.official_weights import fetch_weights
from thaw.backbones.providers.hf_networks import joint_of, network_named
from thaw.backbones.text_towers import JOINT, TextTower, text_tower_of
from thaw.foundation.errors import BadArtifact, BadParameters
from thaw.heads.text_head import text_model
from thaw.params.sections import BackboneParams
from thaw.params.values.places import tower_place

NAMES = ("dark", "light_and-bright", "golden_retriever", "7")
SAID = ("dark", "light and bright", "golden retriever", "7")
EXAMPLES = torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module", params=["clip", "siglip"])
def kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@pytest.fixture(scope="module")
def converted(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(kind)
    lay_dual(kind, folder / "source")
    convert(Source(folder / "source"), folder / "own.safetensors")
    return folder / "own.safetensors"


def read(weights: Path) -> tuple[Backbone, TextTower]:
    backbone, tower = read_backbone(BackboneParams(weights=str(weights))), text_tower_of(weights)
    assert tower is not None and backbone.layers == (JOINT,)
    return backbone, tower


def logits_of_the_library(kind: str, texts: list[str]) -> torch.Tensor:
    """float32 [3, N], as the library's own page shows it: SigLIP's texts are filled up to their whole length, and without a mask."""
    tokens = tokenizer()(texts, padding="max_length", max_length=LENGTH, return_tensors="pt")
    mask = {"attention_mask": tokens["attention_mask"]} if kind == "clip" else {}
    normed = (EXAMPLES / 255 - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    with torch.inference_mode():
        model = dual_model(kind)
        logits: torch.Tensor = model(input_ids=tokens["input_ids"], pixel_values=normed, **mask).logits_per_image
    return logits


MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def test_the_head_of_one_prompt_gives_the_librarys_own_logits(kind: str, converted: Path) -> None:
    backbone, tower = read(converted)
    features = backbone.features(EXAMPLES)[JOINT]
    assert torch.allclose(features.norm(dim=1), torch.ones(3))
    logits = text_model(tower, NAMES, ("a photo of a {label}.",)).logits(features)
    wanted = logits_of_the_library(kind, [f"a photo of a {name}." for name in SAID])
    assert (logits - wanted).abs().max() < 1e-5
    assert logits.std() > 1e-3


def test_several_prompts_count_by_the_mean_of_their_vectors(converted: Path) -> None:
    _, tower = read(converted)
    prompts = ("a photo of a {label}.", "the {label}")
    model = text_model(tower, NAMES, prompts)
    each = [tower.embed([prompt.replace("{label}", name) for name in SAID]) for prompt in prompts]
    mean = torch.nn.functional.normalize((each[0] + each[1]) / 2, dim=1)
    assert torch.allclose(model.weights, mean * tower.scale, atol=1e-6)
    assert set(model.bias.tolist()) == {tower.bias}


def test_the_scale_and_the_bias_are_those_of_the_checkpoint(kind: str, converted: Path) -> None:
    _, tower = read(converted)
    own = dual_model(kind)
    assert tower.scale == pytest.approx(float(own.logit_scale.detach().exp()))
    assert tower.bias == pytest.approx(float(own.logit_bias.detach()) if kind == "siglip" else 0.0)


def test_a_text_that_is_too_long_is_refused_and_not_cut(converted: Path) -> None:
    _, tower = read(converted)
    with pytest.raises(BadParameters, match=f"{LENGTH}; shorten it"):
        tower.embed(["a photo of a dark " * 5])


def test_a_tower_that_is_damaged_or_of_another_backbone_is_refused(converted: Path) -> None:
    place, other = tower_place(converted), converted.with_name("other.safetensors")
    tower_place(other).symlink_to(place)
    other.write_bytes(converted.read_bytes().replace(b"texts_digest", b"texts_dogest"))
    with pytest.raises(BadArtifact, match="is not that of"):
        text_tower_of(other)
    (tower_place(other)).unlink()
    assert text_tower_of(other) is None
    tower_place(other).mkdir()
    (tower_place(other) / "text.safetensors").write_bytes(b"torn")
    with pytest.raises(BadArtifact, match="convert the backbone again"):
        text_tower_of(other)


def test_a_name_of_the_hub_brings_both_towers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_dual("siglip", lay_snapshot(tmp_path / "hub", "lab/siglip", monkeypatch))
    weights = tmp_path / "hf--lab--siglip.safetensors"
    fetch_weights(weights)
    assert read(weights)[1].bias != 0


def test_a_backbone_without_the_layer_keeps_its_name_and_a_wrong_width_is_refused(tmp_path: Path) -> None:
    assert joint_of("hf/clip_vision_model?hidden_size=32") is None
    plain = network_named("hf/clip_vision_model?num_hidden_layers=1&hidden_size=24&image_size=32&patch_size=16", 3)
    assert plain is not None and not any(name.startswith(JOINT) for name in plain.state_dict())
    with pytest.raises(BadParameters, match="joint=0"):
        joint_of("hf/clip_vision_model?joint=0")
