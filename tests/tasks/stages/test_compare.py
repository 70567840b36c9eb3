"""The stage `compare`: nothing where nothing is asked for; a certificate, its page and its place in the report and in MLflow where it is."""

import json
from pathlib import Path

import pytest
from stage_runs import run_stage

from tasks.project.local_state import CHECKPOINTS, CONTESTS
from tasks.project.paths import CERTIFICATE, REPORT, TRACKED
from tasks.stages import compare, track
from tasks.stages.evaluate import stage as evaluate
from thaw.strategies.certificate.record import Certificate, read_certificate

ASKED = """
compare: {strategies: [linear, knn, cut, last_blocks, lora, full], seeds: 2, minutes: 20}
finetune: {epochs: 1, augment: none, scratch: {epochs: 1}}
"""


def ask(more: str = ASKED) -> None:
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text + more)


def certified() -> Certificate:
    run_stage(compare)
    found = read_certificate(CERTIFICATE)
    assert found is not None
    return found


def test_nothing_is_compared_unless_it_is_asked_for(project: Path) -> None:
    run_stage(compare)
    assert read_certificate(CERTIFICATE) is None
    assert not CONTESTS.exists()
    assert 'id="certificate"' not in (REPORT / "report.html").read_text()


@pytest.mark.slow
def test_every_strategy_is_compared_and_goes_to_the_report_and_to_mlflow(project: Path) -> None:
    ask()
    found = certified()
    names = {entry.name for entry in found.entries}
    # One cut layer is cached, so there is no earlier one to cut at.
    assert names == {"linear", "knn", "last block", "lora", "full", "plain", "random_backbone", "scratch", "majority"}
    assert [(each.name, each.reason.split(";")[0]) for each in found.skipped] == [
        ("cut", "features of one layer are cached")
    ]
    assert len(found.entry("full").accuracies) == 2
    assert {ruling.over for ruling in found.rulings} == {"plain", "random_backbone", "scratch", "majority"}
    assert not list(CHECKPOINTS.rglob("*.safetensors"))
    assert not (REPORT / "certificate.html").exists()
    run_stage(evaluate)
    assert 'id="contest"' in (REPORT / "certificate.html").read_text()
    assert (REPORT / "figures" / "certificate-price.png").read_bytes().startswith(b"\x89PNG")
    assert 'id="certificate"' in (REPORT / "report.html").read_text()
    metrics = json.loads((REPORT / "metrics.json").read_text())
    assert metrics["certificate"]["full"]["accuracy"] == found.entry("full").score.accuracy.value
    run_stage(track)
    _check_nested_runs(json.loads(TRACKED.read_text())["run_id"], names)


def _check_nested_runs(parent: str, names: set[str]) -> None:
    from tasks.registry.registry import open_registry
    from thaw.params.values.reading import read_params

    client = open_registry(read_params().registry).client
    experiment = client.get_run(parent).info.experiment_id
    nested = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{parent}'")
    assert {run.info.run_name for run in nested} == names
    assert all(0 <= run.data.metrics["accuracy"] <= 1 for run in nested)


def test_trials_that_were_held_are_not_held_again(project: Path) -> None:
    ask()
    first = certified()
    trials = {path: path.stat().st_mtime_ns for path in CONTESTS.rglob("*.json")}
    again = certified()
    assert trials == {path: path.stat().st_mtime_ns for path in CONTESTS.rglob("*.json")}
    assert [entry.score for entry in again.entries] == [entry.score for entry in first.entries]


def test_other_inputs_have_trials_of_their_own(project: Path) -> None:
    ask(ASKED.replace("[linear, knn, cut, last_blocks, lora, full]", "[knn]").replace("minutes: 20", "minutes: 0"))
    found = certified()
    assert {one.name for one in found.skipped} == {"random_backbone", "scratch"}
    text = Path("params.yaml").read_text().replace("epochs: 1,", "epochs: 2,", 1)
    Path("params.yaml").write_text(text)
    certified()
    assert len(list(CONTESTS.iterdir())) == 2
