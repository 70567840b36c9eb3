"""What `auto` means: the cache's precision, else the hardware's, if the backbone bears it."""

import logging
from dataclasses import replace

import pytest
import torch

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.backbones.engines import precision as module
from thaw.backbones.engines.engine import Precision
from thaw.backbones.engines.precision import settle_precision
from thaw.params.sections import BackboneParams

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return read_backbone(BackboneParams(weights="data/pretrain/small.safetensors"))


def sample(count: int) -> torch.Tensor:
    """Ramps in all directions: pictures that differ."""
    line = torch.linspace(0, 255, 32)
    ramps = [line.expand(32, 32), line.expand(32, 32).T, line.flip(0).expand(32, 32), 255 - line.expand(32, 32).T / 2]
    return (
        torch.stack([ramps[i % 4] / (1 + i // 4) for i in range(count)]).to(torch.uint8)[:, None].expand(-1, 3, -1, -1)
    )


def settle(backbone: Backbone, cached: tuple[Precision, ...] = (), most: int = 8) -> Precision:
    return settle_precision(
        backbone, CPU, cached=lambda one: int(one in cached), sample=lambda count: sample(min(count, most))
    )


@pytest.mark.parametrize("hardware", [True, False])
def test_what_the_cache_holds_decides_first(
    backbone: Backbone, hardware: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "has_bfloat16", lambda _: hardware)
    assert settle(backbone, ("float32",)) == "float32"
    assert settle(backbone, ("bfloat16",)) == "bfloat16"


def test_then_the_hardware(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "has_bfloat16", lambda _: True)
    with caplog.at_level(logging.INFO):
        assert settle(backbone) == "bfloat16"
    assert "precision auto: bfloat16; bfloat16 has cosine 0.99" in caplog.text
    assert settle(backbone, most=1) == "float32", "nothing to compare"
    monkeypatch.setattr(module, "has_bfloat16", lambda _: False)
    assert settle(backbone) == "float32"


def test_a_backbone_that_does_not_bear_it_stays_in_float32(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "has_bfloat16", lambda _: True)
    monkeypatch.setattr(module, "TOLERANCES", {"bfloat16": replace(module.TOLERANCES["bfloat16"], cosine=1.1)})
    with caplog.at_level(logging.INFO):
        assert settle(backbone) == "float32"
    assert "precision auto: float32; bfloat16 has cosine" in caplog.text
