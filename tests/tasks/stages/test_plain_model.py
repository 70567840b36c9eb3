"""A model without a backbone through the stages: it is trained, evaluated beside the frozen model, tracked, and deployed."""

import json
from pathlib import Path

import pytest
from stage_runs import run_stage

from tasks.project.paths import CERTIFICATE, FINETUNED, REPORT, STRATEGY, TRACKED
from tasks.registry.local_model import read_assembled
from tasks.stages import compare, finetune, track
from tasks.stages.evaluate import stage as evaluate
from thaw.finetuning.result import read_finetuned
from thaw.params.values.reading import read_params
from thaw.params.values.strategy import Strategy, write_strategy
from thaw.strategies.certificate.record import read_certificate


@pytest.fixture
def plain(project: Path) -> Path:
    """The project with the strategy `plain`."""
    write_strategy(Strategy("plain", json.loads(STRATEGY.read_text())["layer"]), STRATEGY)
    return project


def add(text: str) -> None:
    path = Path("params.yaml")
    path.write_text(f"{path.read_text()}\n{text}\n")


def test_it_is_trained_and_evaluated_beside_the_frozen_model(plain: Path) -> None:
    run_stage(finetune)
    model = read_finetuned(FINETUNED)
    assert model is not None and model.layer == "plain"
    assert {path.name for path in FINETUNED.iterdir()} == {
        "backbone.json", "backbone.safetensors", "finetuned.json", "head.json", "head.safetensors",
    }  # fmt: skip
    run_stage(evaluate)
    assert "frozen" in json.loads((REPORT / "metrics.json").read_text())["baselines"]
    parity = json.loads((REPORT / "parity.json").read_text())
    assert parity["pixels"] is None and parity["exported"]["labels_equal"] == 1
    assert "none; that of the frozen model beside it is" in (REPORT / "report.html").read_text()
    assert read_assembled(read_params()).backbone.weights_digest == model.backbone.weights_digest
    run_stage(track)
    assert json.loads(TRACKED.read_text())["run_id"]


def test_the_same_inputs_give_the_same_files_and_going_back_leaves_nothing(plain: Path) -> None:
    run_stage(finetune)
    first = {path.name: path.read_bytes() for path in FINETUNED.iterdir()}
    run_stage(finetune)
    assert {path.name: path.read_bytes() for path in FINETUNED.iterdir()} == first
    write_strategy(Strategy("linear", json.loads(STRATEGY.read_text())["layer"]), STRATEGY)
    run_stage(finetune)
    assert [path.name for path in FINETUNED.iterdir()] == ["finetuned.json"] and read_finetuned(FINETUNED) is None


def test_it_may_say_neither(plain: Path) -> None:
    add("openness: {score: neighbours}")
    run_stage(finetune)
    model = read_finetuned(FINETUNED)
    assert model is not None and model.openness is not None and model.openness.score.name == "neighbours"


def test_it_is_a_competitor_and_transfer_is_ruled_against_it(plain: Path) -> None:
    add("compare: {strategies: [linear], seeds: 1, minutes: 0}")
    run_stage(compare)
    found = read_certificate(CERTIFICATE)
    assert found is not None and found.strategy == "plain"
    assert (found.entry("plain").role, found.entry("linear").role) == ("baseline", "strategy")
    assert {"plain", "majority"} <= {ruling.over for ruling in found.rulings}
    assert found.entry("plain").megabytes is not None
