"""The fastest engine that gives the right features is chosen, and the log says from what."""

import logging
from dataclasses import replace

import pytest
import torch

from thaw.backbones import Backbone, read_backbone
from thaw.engines import choosing
from thaw.engines.choosing import FEW, WORTH_CONVERTING_S, Chosen, choose_engine
from thaw.engines.torch_engine import TorchEngine, build_torch_engine
from thaw.errors import BadParameters
from thaw.params import BackboneParams, ExtractParams

CPU = torch.device("cpu")
MANY = int(WORTH_CONVERTING_S * 10**6)
"""Images that take any engine long enough."""


@pytest.fixture
def backbone() -> Backbone:
    return read_backbone(BackboneParams(weights="data/pretrain/small.safetensors"))


def sample(count: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, 32, 32), dtype=torch.uint8, generator=generator)


def choose(backbone: Backbone, params: ExtractParams, images: int = 100) -> Chosen:
    return choose_engine(backbone, params, CPU, images=images, workers=1, sample=sample)


def test_few_images_are_not_worth_a_measurement(backbone: Backbone) -> None:
    found = choose(backbone, ExtractParams(), FEW - 1)
    assert (found.engine.name, found.trials) == ("torch", ())
    assert choose(backbone, ExtractParams(precision="bfloat16"), FEW - 1).trials, "less precision is always checked"


def test_a_network_is_not_converted_for_a_moment_of_work(backbone: Backbone, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        found = choose(backbone, ExtractParams(), FEW)
    assert [trial.engine.name for trial in found.trials] == ["torch"]
    assert "openvino is not tried" in caplog.text


def test_the_figures_are_logged(backbone: Backbone, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        found = choose(backbone, ExtractParams(engine="torch"))
    (trial,) = found.trials
    assert trial.images_per_second > 0 and trial.deviation.cosine > 0.9999
    assert f"torch float32: {trial.images_per_second:.0f} images/s a core" in caplog.text


def test_an_engine_that_gives_wrong_features_is_never_chosen_however_fast(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Wrong(TorchEngine):
        def features(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
            return {name: torch.randn(len(pixels), 256) for name in self.backbone.layers}

    def build(backbone: Backbone, *_: object) -> Wrong:
        right = build_torch_engine(backbone, "float32", CPU)
        return Wrong(backbone, right.network, "float32", CPU, name="openvino")

    monkeypatch.setattr(choosing, "build_openvino_engine", build)
    monkeypatch.setattr(choosing, "find_spec", lambda _: True)
    with caplog.at_level(logging.INFO):
        found = choose(backbone, ExtractParams(), MANY)
    assert found.engine.name == "torch" and len(found.trials) == 2
    assert "outside the tolerance" in caplog.text
    with pytest.raises(BadParameters, match="outside its tolerance on this backbone"):
        choose(backbone, ExtractParams(engine="openvino"))


def test_a_precision_that_misses_is_refused_with_what_to_do(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = replace(choosing.TOLERANCES["bfloat16"], cosine=1.1)
    monkeypatch.setattr(choosing, "TOLERANCES", {"bfloat16": strict})
    with pytest.raises(BadParameters, match=r"set extract\.precision=float32"):
        choose(backbone, ExtractParams(precision="bfloat16", engine="torch"))


def test_openvino_that_is_missing_or_on_the_wrong_device_is_said(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "openvino", None)
    with pytest.raises(BadParameters, match=r"pip install 'thaw\[openvino\]'"):
        choose(backbone, ExtractParams(engine="openvino"))
    with pytest.raises(BadParameters, match="runs on the CPU"):
        choose_engine(
            backbone, ExtractParams(engine="openvino"), torch.device("meta"), images=100, workers=1, sample=sample
        )
