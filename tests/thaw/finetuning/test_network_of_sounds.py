"""Thawed networks of sounds pool the places that count, and only the thawed blocks are trained."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from thaw.backbones.architectures import build_seeded
from thaw.backbones.backbone import Backbone, cut, read_written_backbone, write_backbone
from thaw.backbones.weights import Weights
from thaw.finetuning.network import build_network
from thaw.heads import fit_head
from thaw.heads.logistic import LogisticModel
from thaw.kinds.batches import Batch, stacked
from thaw.kinds.sounds.framed import framed
from thaw.kinds.sounds.preprocessing import WaveformPreprocessing
from thaw.params.sections import FinetuneParams, HeadParams, Pooling
from thaw.params.values.strategy import Strategy
from thaw.targets.labelled import LabelledFeatures

RATE = 16_000


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    network = build_seeded("speech_embedding", 2, 0)
    return cut("speech_embedding", Weights(network.state_dict(), {}), ("embedding",), WaveformPreprocessing(RATE))


def sounds() -> Batch:
    """Sounds of several lengths, shorter and longer than a window."""
    generator = torch.Generator().manual_seed(0)
    lengths = (0.3, 1.0, 0.9, 1.4)
    return stacked([framed(0.1 * torch.randn(round(each * RATE), generator=generator), RATE) for each in lengths])


@pytest.mark.parametrize("pooling", ["average", "thirds"])
def test_a_thawed_network_gives_the_logits_of_its_features(pooling: Pooling, backbone: Backbone) -> None:
    pooled = replace(backbone, pooling=pooling)
    features = pooled.features(sounds())["embedding"].clone()
    assert features.shape == (4, 96 if pooling == "average" else 288)
    rows = LabelledFeatures(features, torch.tensor([0, 1, 0, 1]), ("a", "b"))
    head = fit_head(rows, None, HeadParams(l2=(1.0,))).model
    assert isinstance(head, LogisticModel)
    network = build_network(pooled, Strategy("last_blocks", "embedding", 2), head, FinetuneParams())
    logits = network.part.eval()(sounds())
    assert torch.allclose(logits, head.logits(features), atol=1e-3)
    logits.sum().backward()
    trained = {name.split(".")[1] for _, name, parameter in network.trained() if parameter.grad is not None}
    assert {"last"} <= trained and "log_mel" not in trained


def test_a_sliced_network_has_the_same_features(tmp_path: Path, backbone: Backbone) -> None:
    part = cut(
        backbone.architecture, Weights(backbone.model.state_dict(), {}), ("log_mel", "blocks.1"), backbone.preprocessing
    )
    write_backbone(part, tmp_path)
    read, wanted = read_written_backbone(tmp_path).features(sounds()), part.features(sounds())
    assert all(torch.equal(read[layer], wanted[layer]) for layer in part.layers)
