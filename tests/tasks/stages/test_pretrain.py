"""The second pipeline: what it writes is a backbone that the first one reads, and a card of what was measured."""

import json
from pathlib import Path

import pytest
import torch

from tasks.stages import pretrain
from tasks.stages.backbone_card import card
from tasks.stages.pretrain import TRAINING, WEIGHTS, read_pretrain_params
from thaw.backbones.backbone import read_backbone
from thaw.foundation.errors import BadParameters
from thaw.foundation.files.atomic import digest_file
from thaw.foundation.statistics.bootstrap import Estimate
from thaw.pages.layout import percent
from thaw.params.sections import BackboneParams
from thaw.pretraining.pretraining import MEAN, STD
from thaw.strategies.baselines.transfer_gain import Contender, Gain, TransferGain

QUICK = """\
source: {classes: 3, seed: 1}
training: {steps: 2, batch_size: 8, held_out: 8}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    pretrain.PARAMS.parent.mkdir(parents=True)
    pretrain.PARAMS.write_text(QUICK)
    return tmp_path


def test_it_writes_a_backbone_with_its_preprocessing_and_how_it_went(project: Path) -> None:
    pretrain.main()
    backbone = read_backbone(BackboneParams(weights=str(WEIGHTS)))
    assert backbone.architecture == "thaw_small"
    assert backbone.preprocessing.resize == (32, 32)
    assert (backbone.preprocessing.mean[0], backbone.preprocessing.std[0]) == (MEAN, STD)
    found = backbone.features(torch.zeros(2, 3, 32, 32, dtype=torch.uint8))
    assert found[backbone.layers[-1]].shape == (2, 256)
    assert WEIGHTS.stat().st_size < 4 * 2**20
    training = json.loads(TRAINING.read_text())
    assert training["weights"] == digest_file(WEIGHTS).hex()
    assert training["params"]["training"]["steps"] == 2 and len(training["losses"]) == 2


def test_the_shipped_weights_are_those_that_the_shipped_record_tells_of() -> None:
    assert json.loads(TRAINING.read_text())["weights"] == digest_file(WEIGHTS).hex()
    assert WEIGHTS.stat().st_size < 4 * 2**20
    params = read_pretrain_params().model_dump(mode="json")
    assert json.loads(TRAINING.read_text())["params"] == params


@pytest.mark.parametrize("text", ["training: {stepps: 2}", "source: [1]", "training: {steps: many}"])
def test_parameters_that_are_not_allowed_are_named(project: Path, text: str) -> None:
    pretrain.PARAMS.write_text(text)
    with pytest.raises(BadParameters, match=r"params\.yaml"):
        read_pretrain_params()


def test_every_figure_of_the_card_comes_from_the_measurements() -> None:
    scratch = Gain("scratch", (0.05, 0.07), Estimate(0.06, 0.041, 0.079), Estimate(0.06, 0.05, 0.07))
    contenders = (Contender("frozen", (0.9, 0.92), 0.913), Contender("scratch", (0.85, 0.85), 0.853))
    gain = TransferGain((0, 1), 50, True, 0.95, contenders, (scratch,))
    text = card(gain, json.loads(TRAINING.read_text()) | {"minutes": 12.3, "source_accuracy": 0.777})
    assert all(figure in text for figure in ("91.3", "85.3", "77.7", "12.3 minutes"))
    assert "4.1" in text and "7.9" in text, "the interval over seeds, since each seed drew other images"
    shipped = Path("data/pretrain/card.md").read_text()
    metrics = json.loads(Path("data/pretrain/metrics.json").read_text())
    assert percent(metrics["frozen"]) in shipped and percent(metrics["scratch"]["accuracy"]) in shipped
