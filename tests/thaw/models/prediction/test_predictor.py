"""The whole model from pixels, written to a folder and read again."""

import io
import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from openness_rows import opened_predictor, predictor_on_digits
from openness_rows import pictures as digits_and_crosses
from PIL import Image

from thaw.backbones.architectures import build_seeded, classifier_of
from thaw.backbones.backbone import Backbone, read_backbone, write_backbone
from thaw.backbones.blocks import blocks_of
from thaw.backbones.size import model_size
from thaw.backbones.weights import write_weights
from thaw.foundation.errors import BadArtifact
from thaw.heads import fit_head
from thaw.kinds.images.decoding import decode_pixels
from thaw.kinds.kind import Limits
from thaw.models.prediction.predictor import Predictor
from thaw.params.sections import BackboneParams, HeadParams
from thaw.targets.labelled import LabelledFeatures
from thaw.targets.target import NEITHER


def pictures(count: int) -> list[Image.Image]:
    noise = np.random.default_rng(0).integers(0, 256, (count, 20, 30, 3), dtype=np.uint8)
    noise[::2] //= 4
    return [Image.fromarray(image) for image in noise]


@pytest.fixture
def predictor(tmp_path: Path) -> Predictor:
    path = tmp_path / "small.safetensors"
    write_weights(path, build_seeded("thaw_small", 10, 0).state_dict(), {"architecture": "thaw_small"})
    backbone = read_backbone(BackboneParams(weights=str(path)))
    features = backbone.features(torch.stack([backbone.preprocessing.pixels(image) for image in pictures(40)]))[
        "flatten"
    ]
    train = LabelledFeatures(features, torch.arange(40) % 2, ("dark", "light"))
    return Predictor(backbone, fit_head(train, None, HeadParams(l2=(1e-3,))), "flatten")


def pixels(predictor: Predictor, count: int) -> list[torch.Tensor]:
    return [predictor.backbone.preprocessing.pixels(image) for image in pictures(count)]


def test_it_gives_the_heads_probabilities_from_pixels(predictor: Predictor) -> None:
    found = predictor.probabilities(pixels(predictor, 40))
    assert found.shape == (40, 2) and found.dtype == np.float32
    assert np.allclose(found.sum(1), 1, atol=1e-5)
    assert (found.argmax(1) == np.arange(40) % 2).mean() > 0.9
    assert predictor.probabilities([]).shape == (0, 2)


def test_it_is_written_and_read_again_without_pickle(predictor: Predictor, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    predictor.write(folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "backbone.json",
        "backbone.safetensors",
        "head.json",
        "head.safetensors",
    ]
    again = Predictor.read(folder)
    assert np.array_equal(again.probabilities(pixels(again, 5)), predictor.probabilities(pixels(predictor, 5)))
    assert again.class_names == ("dark", "light")


def test_files_go_the_way_that_training_images_went_even_after_it_was_written(
    predictor: Predictor, tmp_path: Path
) -> None:
    scaled = replace(predictor.backbone.preprocessing, decoding="scaled")
    replace(predictor, backbone=replace(predictor.backbone, preprocessing=scaled)).write(tmp_path)
    again, buffer = Predictor.read(tmp_path), io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, "JPEG")
    content = buffer.getvalue()
    assert torch.equal(again.prepare(content, Limits(10**6)), decode_pixels(content, scaled, 10**6))
    assert not torch.equal(again.prepare(content, Limits(10**6)), predictor.prepare(content, Limits(10**6)))


def test_a_foreign_backbone_is_refused(predictor: Predictor, tmp_path: Path) -> None:
    predictor.write(tmp_path)
    description = json.loads((tmp_path / "backbone.json").read_text()) | {"weights_digest": "0" * 64}
    (tmp_path / "backbone.json").write_text(json.dumps(description))
    with pytest.raises(BadArtifact, match="not those that were written"):
        Predictor.read(tmp_path)


def cut_predictor(backbone: Backbone, layer: str) -> Predictor:
    features = backbone.features(torch.stack([backbone.preprocessing.pixels(image) for image in pictures(10)]))
    train = LabelledFeatures(features[layer].clone(), torch.arange(10) % 2, ("dark", "light"))
    return Predictor(backbone, fit_head(train, None, HeadParams(l2=(1e-3,), folds=2)), layer)


@pytest.mark.parametrize("architecture", ["mobilenet_v2", "resnet18", "thaw_small"])
def test_cut_earlier_it_is_smaller_and_says_the_same(architecture: str, tmp_path: Path) -> None:
    model = build_seeded(architecture, 10, 0)
    path = tmp_path / "weights.safetensors"
    write_weights(path, model.state_dict(), {"architecture": architecture})
    layers = tuple(block.output for block in blocks_of(model))
    backbone = read_backbone(BackboneParams(weights=str(path), layers=layers))
    small = replace(backbone, preprocessing=replace(backbone.preprocessing, resize=(64, 64), crop=None))
    sizes = []
    for layer in layers:
        predictor, folder = cut_predictor(small, layer), tmp_path / layer
        predictor.write(folder)
        again = Predictor.read(folder)
        assert again.backbone.layers == (layer,)
        assert np.array_equal(again.probabilities(pixels(again, 3)), predictor.probabilities(pixels(predictor, 3)))
        parameters = [each for each in again.backbone.model.parameters() if not each.is_meta]
        expected = model_size(small, (layer,))
        assert sum(each.numel() for each in parameters) == expected.parameters
        assert 0 < (folder / "backbone.safetensors").stat().st_size - expected.bytes < 50_000, "a header, no more"
        sizes.append((expected.bytes, expected.parameters, len(list(again.backbone.extractor.graph.nodes))))
    for before, after in itertools.pairwise(sizes):
        assert all(one < two for one, two in zip(before, after, strict=True))
    assert sizes[-1][1] == sum(each.numel() for each in model.parameters()) - classifier_size(model)


def classifier_size(model: torch.nn.Module) -> int:
    return sum(each.numel() for each in model.get_submodule(classifier_of(model)).parameters())


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    written = set()
    for number in range(6):
        write_backbone(read_backbone(BackboneParams(weights="data/pretrain/small.safetensors")), tmp_path / str(number))
        written.add((tmp_path / str(number) / "backbone.safetensors").read_bytes())
    assert len(written) == 1


def asked(predictor: Predictor) -> list[torch.Tensor]:
    return [
        predictor.backbone.preprocessing.pixels(Image.fromarray(one).convert("RGB"))
        for one in digits_and_crosses(300, 30)
    ]


def test_what_is_no_digit_is_neither(tmp_path: Path) -> None:
    predictor = opened_predictor()
    said = predictor.predict(asked(predictor))
    assert said.known_scores is not None and said.known_scores.shape == (60,)
    assert set(said.labels[1::2]) == {NEITHER} and not said.accepted[1::2].any()
    assert (
        set(said.labels[::2]) <= {"0", "1", "2", NEITHER}
        and np.mean([label != NEITHER for label in said.labels[::2]]) > 0.8
    )
    predictor.write(tmp_path)
    again = Predictor.read(tmp_path).predict(asked(predictor))
    assert np.array_equal(again.known_scores, said.known_scores) and again.labels == said.labels


def test_without_openness_every_image_gets_a_class_and_the_probabilities_are_the_same(tmp_path: Path) -> None:
    plain, opened = predictor_on_digits(), opened_predictor()
    said = plain.predict(asked(plain))
    assert said.known_scores is None and said.accepted.all() and NEITHER not in said.labels
    assert np.array_equal(said.probabilities, opened.predict(asked(plain)).probabilities)
    opened.write(tmp_path)
    plain.write(tmp_path)
    assert Predictor.read(tmp_path).openness is None, "what an earlier model had is gone"
