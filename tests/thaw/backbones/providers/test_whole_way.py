"""Small networks of every family of timm and transformers on the whole way: engines, fine-tuning and export."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
from provided_networks import BUILDERS, SIDE, small_backbone
from torch import Tensor

from thaw.backbones.backbone import Backbone
from thaw.backbones.engines.openvino_engine import build_openvino_engine
from thaw.backbones.engines.reference import reference_features, worst_deviation
from thaw.backbones.engines.tolerances import TOLERANCES
from thaw.backbones.engines.torch_engine import build_torch_engine
from thaw.finetuning.network import build_network
from thaw.heads import FittedHead
from thaw.heads.logistic import LogisticModel
from thaw.heads.standardisation import Standardisation
from thaw.models.exporting.graph import export_program, outputs_of
from thaw.models.exporting.onnx_format import read_onnx, write_onnx
from thaw.models.prediction.predictor import Predictor
from thaw.params.sections import FinetuneParams
from thaw.params.values.strategy import Strategy

EVERY = pytest.mark.parametrize("name", BUILDERS)
EXPORTED = ("timm/eva02_tiny_patch14_224", "hf/siglip_vision_model")
"""Turned queries and keys, and attention as the pooling."""


CONVERTED = (*EXPORTED, "timm/convnext_atto", "timm/vit_small_patch14_reg4_dinov2", "hf/dinov3_vit")
"""Convolutions, registers beside learnt positions, and registers beside turned queries and keys: a conversion for OpenVINO takes seconds."""


def examples() -> Tensor:
    """Three more than a pass of an engine takes."""
    chance = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (11, 3, SIDE, SIDE), dtype=torch.uint8, generator=chance)


def head_on(backbone: Backbone, features: Tensor) -> LogisticModel:
    """A head that none of its classes dominates."""
    spread = Standardisation(features.mean(0), 1 / features.std(0).clamp(min=1e-6), torch.inf)
    weights = 0.1 * torch.randn(3, features.shape[1], generator=torch.Generator().manual_seed(1))
    return LogisticModel(spread, weights, torch.zeros(3))


@EVERY
def test_engines_are_within_the_tolerance(name: str) -> None:
    backbone, batch = small_backbone(name), examples()
    wanted = reference_features(batch, backbone)
    engines = [build_torch_engine(backbone, "float32", torch.device("cpu"))]
    if name in CONVERTED and importlib.util.find_spec("openvino") is not None:
        engines.append(build_openvino_engine(backbone, "float32", (SIDE, SIDE), workers=1))  # type: ignore[arg-type]
    for engine in engines:
        assert TOLERANCES["float32"].allows(worst_deviation(engine.features(batch), wanted)), engine.name


@EVERY
def test_thawed_networks_begin_as_the_frozen_one_and_learn(name: str) -> None:
    backbone, batch = small_backbone(name), examples()[:4]
    layer = backbone.layers[-1]
    features = reference_features(batch, backbone)[layer]
    head, given = head_on(backbone, features), backbone.preprocessing.normalise(batch)
    for strategy in (Strategy("last_blocks", layer, 1), Strategy("full", layer)):
        network = build_network(backbone, strategy, head, FinetuneParams())
        assert (network.lower is None) == (strategy.kind == "full")
        lower = given if network.lower is None else network.lower(given)
        torch.testing.assert_close(network.part.eval()(lower), head.logits(features), atol=1e-4, rtol=1e-4)
        network.part.train()(lower).square().sum().backward()
        idle = [own for _, own, parameter in network.trained() if parameter.grad is None]
        assert all(own.endswith("mask_token") for own in idle)  # it stands for hidden patches in pretraining


@pytest.mark.parametrize("name", EXPORTED)
def test_the_exported_graph_gives_the_same_probabilities(name: str, tmp_path: Path) -> None:
    backbone, batch = small_backbone(name), examples()
    layer = backbone.layers[-1]
    model = head_on(backbone, reference_features(batch, backbone)[layer])
    predictor = Predictor(backbone.only((layer,)), FittedHead(model, ("a", "b", "c"), 1.0, ()), layer)
    file, names = tmp_path / "model.onnx", [output.name for output in outputs_of(predictor)]
    write_onnx(export_program(predictor), ["images"], names, file)
    wanted = predictor.predict(list(batch)).probabilities
    assert wanted.std(0).min() > 1e-3
    assert abs(read_onnx(file).run(batch)[0] - wanted).max() < 1e-5
