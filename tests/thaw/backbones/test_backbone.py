"""Backbones are frozen, cut where they are told to, and fingerprinted by all that changes a number."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError
from torchvision.models import MobileNet_V2_Weights, mobilenet_v2

from thaw.backbones.architectures import build_seeded
from thaw.backbones.backbone import Backbone, read_backbone, read_written_backbone, write_backbone
from thaw.backbones.weights import read_weights, write_weights
from thaw.foundation.errors import BadArtifact, BadParameters
from thaw.kinds.kind import Viewing
from thaw.params.sections import BackboneParams


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "small.safetensors"
    write_weights(path, build_seeded("thaw_small", 10, 0).state_dict(), {"architecture": "thaw_small"})
    return path


@pytest.fixture
def backbone(weights: Path) -> Backbone:
    return read_backbone(BackboneParams(weights=str(weights), layers=("layer1", "auto")))


def pixels(count: int = 3) -> torch.Tensor:
    return torch.randint(0, 256, (count, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_one_pass_gives_every_layer_pooled(backbone: Backbone) -> None:
    features = backbone.features(pixels())
    assert backbone.layers == ("layer1", "flatten")
    assert all(value.dim() == 2 and len(value) == 3 and value.dtype == torch.float32 for value in features.values())
    whole = backbone.model(backbone.preprocessing.normalise(pixels()))
    assert torch.allclose(backbone.model.fc(features["flatten"]), whole, atol=1e-5)


def test_an_image_has_the_same_features_in_any_batch(backbone: Backbone) -> None:
    together = backbone.features(pixels(8))["flatten"]
    alone = torch.cat([backbone.features(image.unsqueeze(0))["flatten"] for image in pixels(8)])
    assert torch.allclose(together, alone, atol=1e-5)


def test_it_is_frozen_and_notices_when_it_is_not(backbone: Backbone) -> None:
    backbone.features(pixels())
    assert backbone.is_unchanged()
    assert not backbone.model.training and not any(p.requires_grad for p in backbone.model.parameters())
    next(backbone.model.buffers()).add_(1)  # a batch-norm statistic: what forgetting `eval()` would move
    assert not backbone.is_unchanged()


def test_the_fingerprint_sees_what_changes_a_number(backbone: Backbone, weights: Path, tmp_path: Path) -> None:
    again = read_backbone(BackboneParams(weights=str(weights)))
    assert again.fingerprint("float32", "float32") == backbone.fingerprint("float32", "float32"), (
        "the cut layers have their own folders"
    )
    bigger = json.loads(backbone.preprocessing.to_json()) | {"resize": [40, 40]}
    other = tmp_path / "bigger.safetensors"
    write_weights(
        other,
        backbone.model.state_dict(),
        {"architecture": "thaw_small", "preprocessing": json.dumps(bigger)},
    )
    resized = read_backbone(BackboneParams(weights=str(other)))
    others = {
        resized.fingerprint("float32", "float32"),
        backbone.randomised(0).fingerprint("float32", "float32"),
        backbone.fingerprint("float32", "float16"),
    }
    assert len(others | {backbone.fingerprint("float32", "float32")}) == 4


def test_random_weights_keep_the_cut(backbone: Backbone) -> None:
    one, two = backbone.randomised(1), backbone.randomised(1)
    assert one.layers == backbone.layers
    assert one.weights_digest == two.weights_digest != backbone.weights_digest


def test_an_unknown_layer_names_those_that_there_are(weights: Path) -> None:
    with pytest.raises(BadParameters, match=r"layer9 given; thaw_small has .*layer1"):
        read_backbone(BackboneParams(weights=str(weights), layers=("layer9",)))


def test_it_is_written_and_read_again(backbone: Backbone, tmp_path: Path) -> None:
    write_backbone(backbone, tmp_path / "out")
    again = read_written_backbone(tmp_path / "out")
    assert torch.equal(again.features(pixels())["flatten"], backbone.features(pixels())["flatten"])
    write_weights(tmp_path / "out" / "backbone.safetensors", backbone.randomised(3).model.state_dict(), {})
    with pytest.raises(BadArtifact, match="not those that were written"):
        read_written_backbone(tmp_path / "out")


def test_a_part_of_the_layers_runs_no_further_than_it_needs(weights: Path) -> None:
    backbone = read_backbone(BackboneParams(weights=str(weights), layers=("layer1", "layer2", "auto")))
    first, whole = backbone.only(("layer1",)), backbone.features(pixels())
    assert torch.equal(first.features(pixels())["layer1"], whole["layer1"])
    assert not any(name.startswith(("layer2", "layer3", "fc")) for name, _ in first.extractor.named_modules() if name)
    assert backbone.only(backbone.layers) is backbone


def test_pooling_is_written_and_changes_the_fingerprint_of_what_is_pooled(weights: Path, tmp_path: Path) -> None:
    gem = read_backbone(BackboneParams(weights=str(weights), layers=("layer2",), pooling="gem"))
    average = read_backbone(BackboneParams(weights=str(weights), layers=("layer2",)))
    assert not torch.equal(gem.features(pixels())["layer2"], average.features(pixels())["layer2"])
    fingerprints = [one.fingerprint("float32", "float32", pooled=True) for one in (gem, average)]
    assert len(set(fingerprints)) == 2
    assert gem.fingerprint("float32", "float32") == average.fingerprint("float32", "float32"), "nothing to pool"
    assert average.fingerprint("float32", "float32", view="hflip") != average.fingerprint("float32", "float32")
    write_backbone(gem, tmp_path / "out")
    again = read_written_backbone(tmp_path / "out")
    assert torch.equal(again.features(pixels())["layer2"], gem.features(pixels())["layer2"])


def test_real_weights_give_the_features_of_torchvisions_own_model(real_data: Path) -> None:
    path = real_data / "mobilenet_v2-imagenet.pth"
    backbone = read_backbone(BackboneParams(weights=str(path)))
    reference = mobilenet_v2()
    reference.load_state_dict(torch.load(path, weights_only=True))
    transform = MobileNet_V2_Weights.IMAGENET1K_V1.transforms()
    files = sorted((real_data / "hymenoptera/val/ants").iterdir())[:4]
    images = [Image.open(file).convert("RGB") for file in files]
    with torch.no_grad():
        expected = reference.eval().features(torch.stack([transform(image) for image in images])).mean(dim=(2, 3))
    features = backbone.features(torch.stack([backbone.preprocessing.pixels(image) for image in images]))[
        "classifier.0"
    ]
    assert backbone.architecture == "mobilenet_v2"
    assert np.allclose(features, expected, atol=1e-4)


def test_blocks_are_spread_over_the_depth_and_end_with_auto(weights: Path) -> None:
    backbone = read_backbone(BackboneParams(weights=str(weights), layers=("blocks",)))
    assert backbone.layers == ("maxpool", "layer1.0", "layer2.0", "flatten")
    together = read_backbone(BackboneParams(weights=str(weights), layers=("layer3", "blocks", "auto")))
    assert together.layers == ("maxpool", "layer1.0", "layer2.0", "layer3", "flatten"), (
        "each once, in the order in which they run"
    )
    found = together.features(pixels())
    for layer in together.layers:
        alone = together.only((layer,)).features(pixels())
        assert torch.equal(found[layer], alone[layer]), "one pass gives what each layer gives alone"


def test_two_names_of_one_layer_are_refused(weights: Path) -> None:
    with pytest.raises(BadParameters, match=r"layer1 and layer1\.0 are the same layer"):
        read_backbone(BackboneParams(weights=str(weights), layers=("layer1", "blocks")))


def tampered(folder: Path) -> None:
    path = folder / "backbone.safetensors"
    whole = read_weights(path)
    name = next(iter(whole.tensors))
    write_weights(path, {**whole.tensors, name: whole.tensors[name] + 1}, whole.metadata)


def grown(folder: Path) -> None:
    path = folder / "backbone.safetensors"
    whole = read_weights(path)
    write_weights(path, {**whole.tensors, "fc.bias": torch.zeros(10)}, whole.metadata)


def shrunk(folder: Path) -> None:
    path = folder / "backbone.safetensors"
    whole = read_weights(path)
    write_weights(path, dict(list(whole.tensors.items())[1:]), whole.metadata)


@pytest.mark.parametrize("change", [tampered, grown, shrunk])
def test_other_tensors_than_those_written_are_refused(
    backbone: Backbone, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    write_backbone(backbone, tmp_path / "out")
    change(tmp_path / "out")
    with pytest.raises(BadArtifact, match="not those that were written"):
        read_written_backbone(tmp_path / "out")


def test_a_written_backbone_holds_what_its_layers_need_and_no_more(backbone: Backbone, tmp_path: Path) -> None:
    sliced = backbone.only(("layer1",))
    write_backbone(sliced, tmp_path / "one")
    written = read_weights(tmp_path / "one/backbone.safetensors").tensors
    assert set(written) == {name for name in backbone.model.state_dict() if name.startswith(("conv1", "bn1", "layer1"))}
    again = read_written_backbone(tmp_path / "one")
    assert all(tensor.is_meta != (name in written) for name, tensor in again.model.state_dict().items())
    assert not any(tensor.is_meta for tensor in again.extractor.state_dict().values())
    assert not any(parameter.requires_grad for parameter in again.model.parameters())
    assert torch.equal(again.features(pixels())["layer1"], backbone.features(pixels())["layer1"])
    assert again.weights_digest == backbone.weights_digest, "it can be traced to the whole network"
    assert again.fingerprint("float32", "float32") == backbone.fingerprint("float32", "float32")
    assert again.is_unchanged()
    again.model.get_buffer("bn1.running_mean").add_(1)
    assert not again.is_unchanged()


def test_a_sliced_backbone_is_written_again_and_cut_earlier(backbone: Backbone, tmp_path: Path) -> None:
    write_backbone(backbone, tmp_path / "first")
    first = read_written_backbone(tmp_path / "first")
    write_backbone(first, tmp_path / "second")
    first_json, second_json = ((tmp_path / name / "backbone.json").read_text() for name in ("first", "second"))
    assert first_json == second_json
    earlier = first.only(("layer1",))
    write_backbone(earlier, tmp_path / "third")
    again = read_written_backbone(tmp_path / "third")
    assert torch.equal(again.features(pixels())["layer1"], backbone.features(pixels())["layer1"])


def test_layers_with_channels_last_are_refused(tmp_path: Path) -> None:
    torch.save(build_seeded("swin_t", 10, 0).state_dict(), tmp_path / "swin.pth")
    given = {"weights": str(tmp_path / "swin.pth"), "architecture": "swin_t"}
    with pytest.raises(BadParameters, match=r"features\.5 of swin_t has its channels last"):
        read_backbone(BackboneParams(**given, layers=("features.5",)))
    found = read_backbone(BackboneParams(**given, layers=("permute", "auto"))).features(pixels(2))
    assert [each.shape for each in found.values()] == [(2, 768), (2, 768)]


def test_windows_change_the_fingerprint_and_are_for_images_alone(
    weights: Path, backbone: Backbone, tmp_path: Path
) -> None:
    windowed = read_backbone(BackboneParams(weights=str(weights), layers=("layer1", "auto"), windows=((40, 400),)))
    assert isinstance(windowed.preprocessing, Viewing)
    assert windowed.fingerprint("float32", "float32") != backbone.fingerprint("float32", "float32")
    middle = read_backbone(BackboneParams(weights=str(weights), layers=("layer1", "auto"), frame="middle"))
    assert middle.fingerprint("float32", "float32") != backbone.fingerprint("float32", "float32")
    write_backbone(windowed, tmp_path / "written")
    assert read_written_backbone(tmp_path / "written").preprocessing == windowed.preprocessing
    words = BackboneParams(weights="data/pretrain/texts/words.safetensors", windows=((40, 400),))
    with pytest.raises(BadParameters, match=r"the backbone takes texts, which have neither windows nor frames"):
        read_backbone(words)
    with pytest.raises(ValidationError, match="2 windows given"):
        BackboneParams(windows=((40, 400), (40, 80)))
