"""What an answer of a deployed model costs."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from thaw.backbones.backbone import read_backbone
from thaw.foundation.errors import BadArtifact, BadExample
from thaw.heads import fit_head
from thaw.kinds.kind import Limits
from thaw.models.prediction.predictor import Predictor
from thaw.models.serving_cost import measure_serving_cost, megabytes_of, read_serving_cost, write_serving_cost
from thaw.params.sections import BackboneParams, HeadParams
from thaw.targets.labelled import LabelledFeatures


@pytest.fixture(scope="module")
def model() -> Predictor:
    backbone = read_backbone(BackboneParams(weights="data/pretrain/small.safetensors", layers=("flatten",)))
    features = torch.randn(20, 256, generator=torch.Generator().manual_seed(0))
    learnt = LabelledFeatures(features, torch.arange(20) % 2, ("ant", "bee"))
    return Predictor(backbone, fit_head(learnt, None, HeadParams(l2=(0.1,)), "linear"), "flatten")


def picture(number: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((40, 40, 3), number, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def test_images_alone_and_in_a_batch_are_timed_and_files_are_weighed(model: Predictor, tmp_path: Path) -> None:
    cost = measure_serving_cost(model, [picture(number) for number in range(40)], Limits(10**6))
    assert cost.batch == 32 and cost.threads == torch.get_num_threads()
    assert 0 < cost.batch_ms < 1000 and 0 < cost.single_ms < 1000
    model.write(tmp_path / "model")
    assert cost.megabytes * 1e6 == sum(file.stat().st_size for file in (tmp_path / "model").iterdir())
    assert cost.megabytes == megabytes_of(model) > 1
    write_serving_cost(cost, tmp_path / "serving.json")
    assert read_serving_cost(tmp_path / "serving.json") == cost


def test_what_cannot_be_read_is_named(model: Predictor, tmp_path: Path) -> None:
    with pytest.raises(BadExample):
        measure_serving_cost(model, [b"no picture"], Limits(10**6))
    (file := tmp_path / "serving.json").write_text('{"single_ms": 1}')
    with pytest.raises(BadArtifact, match=r"serving.json holds no costs"):
        read_serving_cost(file)
