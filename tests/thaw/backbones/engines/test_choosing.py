"""The fastest engine that gives the right features is chosen, and the log says from what."""

import logging
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.backbones.engines import choosing
from thaw.backbones.engines.choosing import (
    FEW,
    WORTH_COMPILING_S,
    WORTH_CONVERTING_S,
    Chosen,
    Work,
    choose_engine,
)
from thaw.backbones.engines.engine import Precision
from thaw.backbones.engines.openvino_engine import build_openvino_engine
from thaw.backbones.engines.torch_engine import TorchEngine, build_torch_engine
from thaw.foundation.errors import BadParameters
from thaw.params.sections import BackboneParams

CPU = torch.device("cpu")
MANY = int(WORTH_CONVERTING_S * 10**6)
"""Images that take any engine long enough."""


@pytest.fixture
def backbone() -> Backbone:
    return read_backbone(BackboneParams(weights="data/pretrain/small.safetensors"))


@pytest.fixture(autouse=True)
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling takes seconds; tests that want it say so."""
    monkeypatch.setattr(choosing, "has_compiler", lambda: False)


def sample(count: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, 32, 32), dtype=torch.uint8, generator=generator)


def choose(
    backbone: Backbone,
    wanted: str = "auto",
    precision: Precision = "float32",
    images: int = 100,
    keep: Path | None = None,
) -> Chosen:
    return choose_engine(backbone, wanted, precision, Work(images, 1, CPU, keep), sample)


def test_few_images_are_not_worth_a_measurement(backbone: Backbone) -> None:
    found = choose(backbone, images=FEW - 1)
    assert (found.engine.name, found.trials) == ("torch", ())
    assert choose(backbone, precision="bfloat16", images=FEW - 1).trials, "less precision is always checked"


def test_a_network_is_not_converted_for_a_moment_of_work(backbone: Backbone, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        found = choose(backbone, images=FEW)
    assert [trial.engine.name for trial in found.trials] == ["torch"]
    assert "openvino is not tried" in caplog.text


def test_the_figures_are_logged(backbone: Backbone, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        found = choose(backbone, "torch")
    (trial,) = found.trials
    assert trial.examples_per_second > 0 and trial.deviation.cosine > 0.9999
    assert f"torch float32: {trial.examples_per_second:.0f} examples/s a worker" in caplog.text


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
        found = choose(backbone, images=MANY)
    assert found.engine.name == "torch" and len(found.trials) == 2
    assert "outside the tolerance" in caplog.text
    with pytest.raises(BadParameters, match="outside its tolerance on this backbone"):
        choose(backbone, "openvino")


def test_a_precision_that_misses_is_refused_with_what_to_do(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = replace(choosing.TOLERANCES["bfloat16"], cosine=1.1)
    monkeypatch.setattr(choosing, "TOLERANCES", {"bfloat16": strict})
    with pytest.raises(BadParameters, match=r"set extract\.precision=float32"):
        choose(backbone, "torch", "bfloat16")


def test_openvino_that_is_missing_or_on_the_wrong_device_is_said(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "openvino", None)
    with pytest.raises(BadParameters, match=r"`make install` brings it, or `pip install -e '\.\[openvino\]'`"):
        choose(backbone, "openvino")
    with pytest.raises(BadParameters, match="runs on the CPU"):
        choose_engine(backbone, "openvino", "float32", Work(100, 1, torch.device("meta")), sample)


def test_a_kept_network_is_worth_reading_for_less_work(
    backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work of any length lies between the two bounds, so the machine's speed has no say."""
    pytest.importorskip("openvino")
    monkeypatch.setattr(choosing, "WORTH_READING_S", 0.0)
    monkeypatch.setattr(choosing, "WORTH_CONVERTING_S", math.inf)
    build_openvino_engine(backbone, "float32", (32, 32), 1, tmp_path)
    assert [trial.engine.name for trial in choose(backbone, images=1000).trials] == ["torch"]
    assert [trial.engine.name for trial in choose(backbone, images=1000, keep=tmp_path).trials] == ["torch", "openvino"]


def test_the_compiler_is_tried_for_much_work_only(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(choosing, "has_compiler", lambda: True)
    with caplog.at_level(logging.INFO):
        choose(backbone, "torch")
    assert (
        f"torch.compile is not tried: torch needs about 0 s, and trying it pays from {WORTH_COMPILING_S:.0f} s on"
        in caplog.text
    )


BROKEN = """
import logging, torch
from thaw.backbones.backbone import read_backbone
from thaw.backbones.engines.choosing import Work, choose_engine
from thaw.params.sections import BackboneParams
logging.basicConfig(level=logging.INFO, format="%(message)s")
backbone = read_backbone(BackboneParams(weights="data/pretrain/small.safetensors"))
pixels = torch.randint(0, 256, (8, 3, 32, 32), dtype=torch.uint8)
chosen = choose_engine(backbone, "torch", "float32", Work(10**8, 1, torch.device("cpu")), lambda _: pixels)
print(chosen.engine.name)
"""


def test_a_compiler_that_fails_stops_nothing(tmp_path: Path) -> None:
    own = os.environ | {"CXX": "/bin/false", "TORCHINDUCTOR_CACHE_DIR": str(tmp_path)}
    found = subprocess.run([sys.executable, "-c", BROKEN], env=own, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["torch"]
    assert "torch.compile failed and is not used" in found.stderr


def test_no_compiler_is_said(backbone: Backbone, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        choose(backbone, "torch", images=MANY)
    assert "there is no C++ compiler here" in caplog.text


def test_what_needs_a_gpu_says_so_before_any_work(backbone: Backbone) -> None:
    with pytest.raises(BadParameters, match=r"extract\.engine: cuda needs an NVIDIA GPU, and extract\.device is cpu"):
        choose(backbone, "cuda")
    with pytest.raises(BadParameters, match=r"extract\.precision: float16 needs an NVIDIA GPU"):
        choose(backbone, precision="float16", images=1)
