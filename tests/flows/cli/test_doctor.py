"""`thaw doctor` says what a report needs, and nothing of the user's data."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app


def doctor(*words: str) -> str:
    result = CliRunner().invoke(app, ["doctor", *words])
    assert result.exit_code == 0, result.output
    return result.output


def test_it_names_no_data_no_folder_and_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dvc.yaml").write_text("stages: {head: {cmd: x}}\n")
    (tmp_path / "params.yaml").write_text(
        "dataset: {source: /secret/mr-smith, labels_per_class: 5}\nbackbone: {weights: smith.pth}\n"
        "strategy: {kind: mlp}\nregistry: {name: smith}\n"
    )
    told = doctor()
    assert "smith" not in told and "secret" not in told and str(tmp_path) not in told
    facts = json.loads(doctor("--json"))
    assert (facts["dataset.source"], facts["strategy.kind"], facts["dataset.labels_per_class"]) == (
        "changed",
        "mlp",
        "5",
    )
    assert facts["stages that ran"] == "none" and facts["torch"].startswith("2.")


def test_outside_a_project_and_with_bad_parameters_it_answers_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "none here" in doctor()
    (tmp_path / "dvc.yaml").touch()
    (tmp_path / "params.yaml").write_text("smith: 1\n")
    told = doctor()
    assert "`thaw check` says why" in told and "smith" not in told
