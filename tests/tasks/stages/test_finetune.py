"""The stage `finetune`: a marker where the backbone stays frozen, a whole model where it does not; later stages take what there is."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from stage_runs import run_stage

from tasks.project.local_state import CHECKPOINTS
from tasks.project.paths import FINETUNED, HEAD, REPORT, STRATEGY
from tasks.registry.local_model import read_assembled
from tasks.stages import finetune
from tasks.stages.evaluate import stage as evaluate
from thaw.finetuning.result import read_finetuned
from thaw.foundation.errors import BadArtifact
from thaw.heads import read_head
from thaw.params.values.reading import read_params
from thaw.params.values.strategy import Strategy, write_strategy


def thaw_all() -> None:
    strategy = json.loads(STRATEGY.read_text())
    write_strategy(Strategy("full", strategy["layer"]), STRATEGY)
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(f"{text}\nfinetune: {{epochs: 2, augment: none, learning_rate: 0.001}}\n")


def test_a_frozen_backbone_leaves_a_marker_and_the_head_is_the_model(project: Path) -> None:
    assert [path.name for path in FINETUNED.iterdir()] == ["finetuned.json"]
    assert read_finetuned(FINETUNED) is None
    model = read_assembled(read_params())
    assert asdict(model.head)["class_names"] == read_head(HEAD).class_names
    assert model.backbone.is_unchanged()


def test_a_thawed_backbone_is_evaluated_and_registered_in_its_place(project: Path) -> None:
    thaw_all()
    run_stage(finetune)
    tuned = read_finetuned(FINETUNED)
    assert tuned is not None
    assert not list(CHECKPOINTS.rglob("*.safetensors"))
    lines = (FINETUNED / "history.csv").read_text().splitlines()
    assert lines[0] == "epoch,train_loss,val_loss,val_accuracy" and lines[1].startswith("0,,")
    run_stage(evaluate)
    metrics = json.loads((REPORT / "metrics.json").read_text())
    assert "frozen" in metrics["baselines"]
    parity = json.loads((REPORT / "parity.json").read_text())
    assert parity["pixels"] is None and parity["exported"]["labels_equal"] == 1
    assert "full" in (REPORT / "report.html").read_text()
    assert read_assembled(read_params()).backbone.weights_digest == tuned.backbone.weights_digest


def test_going_back_to_frozen_leaves_nothing_of_the_fine_tuned_model(project: Path) -> None:
    before = STRATEGY.read_bytes()
    thaw_all()
    run_stage(finetune)
    STRATEGY.write_bytes(before)
    run_stage(finetune)
    assert [path.name for path in FINETUNED.iterdir()] == ["finetuned.json"]


def test_a_torn_model_is_said(project: Path) -> None:
    thaw_all()
    run_stage(finetune)
    whole = (FINETUNED / "finetuned.json").read_text()
    (FINETUNED / "finetuned.json").write_text(whole[:5])
    with pytest.raises(BadArtifact, match="--stage finetune"):
        read_finetuned(FINETUNED)


def test_a_thawed_backbone_has_an_openness_of_its_own(project: Path) -> None:
    thaw_all()
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(f"{text}\nopenness: {{score: neighbours}}\n")
    run_stage(finetune)
    tuned = read_finetuned(FINETUNED)
    assert tuned is not None and tuned.openness is not None
    run_stage(evaluate)
    assert "openness" in json.loads((REPORT / "metrics.json").read_text())
