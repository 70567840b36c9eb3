"""A tower of transformers by its name on the hub, from the hub's cache through the stages to an adapted model."""

import json
from pathlib import Path

import pytest
from hub_cache import lay_snapshot
from provided_networks import SIDE, hf_model
from registration import inside
from stage_runs import run_stage

from tasks.project.paths import FINETUNED, STRATEGY
from tasks.stages import extract, fetch, finetune, head, ingest
from thaw.backbones.backbone import read_backbone
from thaw.finetuning.result import read_finetuned
from thaw.params.values.reading import read_params
from thaw.params.values.strategy import Strategy, write_strategy

NAME = "lab/tiny-dinov2"
PARAMS = """\
dataset: {source: source, splits: {val: 0.0, test: 0.3}}
backbone: {weights: data/weights/hf--lab--tiny-dinov2.safetensors}
strategy: {minutes: 0}
head: {l2: [0.1], folds: 2}
finetune: {epochs: 1, augment: none, lora: {rank: 2}}
"""


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's cache with a tower, laid where its downloader looks, and no network."""
    snapshot = lay_snapshot(tmp_path / "hub", NAME, monkeypatch)
    hf_model("dinov2").save_pretrained(snapshot)
    settings = {"size": {"shortest_edge": SIDE}, "crop_size": {"height": SIDE, "width": SIDE}, "do_center_crop": True}
    (snapshot / "preprocessor_config.json").write_text(json.dumps(settings))
    (snapshot / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n# A tower\n")
    return snapshot


def test_a_tower_of_the_cache_goes_through_the_stages(hub: Path, picture_folder: Path, tmp_path: Path) -> None:
    with inside(tmp_path):
        Path("params.yaml").write_text(PARAMS)
        for stage in (fetch, ingest, extract):
            run_stage(stage)
        write_strategy(Strategy("lora", "pooled"), STRATEGY)
        for stage in (head, finetune):
            run_stage(stage)
        tuned = read_finetuned(FINETUNED)
        frozen = read_backbone(read_params().backbone)
    assert tuned is not None and tuned.layer == "pooled"
    origin, found = tuned.backbone.origin, tuned.backbone
    assert origin is not None and origin.licence == "cc-by-nc-4.0" and origin.caution is not None
    assert origin.source == f"https://huggingface.co/{NAME}"
    assert found.architecture == frozen.architecture and found.preprocessing == frozen.preprocessing
    assert set(found.needed_tensors()) == set(frozen.needed_tensors())
