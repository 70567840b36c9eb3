"""`thaw config`, as a person meets it."""

import json
import re
from pathlib import Path

import pytest
from toy import build_toy
from typer.testing import CliRunner

from flows.cli.app import app
from flows.cli.terminal import out

PARAMS = Path("params.yaml").read_text()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = build_toy(tmp_path / "toy")
    (root / "params.yaml").write_text(PARAMS)
    monkeypatch.chdir(root)
    monkeypatch.setenv("COLUMNS", "80")
    return root


def thaw(*arguments: str, code: int = 0) -> str:
    out.cache_clear()
    result = CliRunner().invoke(app, [*arguments])
    out.cache_clear()
    assert result.exit_code == code, result.output
    return result.output


def keys_in(shown: str) -> list[str]:
    return re.findall(r"^ [ *] ([a-z_0-9]+(?:\.[a-z_0-9]+)+) ", shown, re.MULTILINE)


@pytest.mark.usefixtures("project")
def test_the_usual_ones_and_those_that_differ_fit_into_80_columns() -> None:
    shown = thaw("config", "show")
    assert 25 <= len(keys_in(shown)) <= 30 and max(map(len, shown.splitlines())) <= 80
    assert " * promotion.max_disagreement" in shown, "it is not usual, but differs"
    everything = thaw("config", "show", "--all")
    assert len(keys_in(everything)) == len(json.loads(thaw("config", "show", "--json")))
    assert max(map(len, everything.splitlines())) <= 80


@pytest.mark.usefixtures("project")
def test_a_parameter_is_explained() -> None:
    said = thaw("config", "explain", "strategy.minutes")
    assert "now      0.5 (line 11 of params.yaml)" in said and "default  5" in said
    assert max(map(len, said.splitlines())) <= 80
    said = thaw("config", "explain", "extract.dtype")
    assert "float32 (the default; params.yaml does not name it)" in said and "choices  float32, float16" in said
    told = json.loads(thaw("config", "explain", "head", "--json"))
    assert told["head.folds"]["default"] == 5 and len(told) > 5
    assert "did you mean head.folds" in thaw("config", "explain", "head.fold", code=1)


def test_a_key_that_the_file_does_not_hold_yet_is_added_to_it(project: Path) -> None:
    thaw("config", "set", "head.folds=3", "evaluate.seeds=2", "extract.ray.actors=2", "finetune.epochs=4")
    after = (project / "params.yaml").read_text()
    assert "head:\n  folds: 3\n" in after and "augment: distort, epochs: 4}" in after
    assert all(line.partition("#")[2] in after for line in PARAMS.splitlines()), "comments are kept"
    shown = json.loads(thaw("config", "show", "--json"))
    assert [shown[key]["value"] for key in ("head.folds", "evaluate.seeds", "extract.ray.actors")] == [3, 2, 2]


def test_a_run_with_a_value_that_is_not_allowed_changes_nothing(project: Path) -> None:
    assert "head.folds: 1 given" in thaw("run", "--set", "head.folds=1", code=1)
    assert (project / "params.yaml").read_text() == PARAMS


def test_what_dvc_takes_from_the_file_must_stand_in_it(project: Path) -> None:
    (project / "dvc.yaml").write_text("stages: {a: {cmd: x, deps: ['${dataset.source}', '${backbone.weights}']}}\n")
    (project / "params.yaml").write_text("dataset: {source: photos}\n")
    for command in ("status", "run"):
        said = thaw(command, code=1)
        assert "does not name backbone.weights" in said
        assert "`thaw config set backbone.weights=data/pretrain/small.safetensors` adds the default" in said
    assert "does not name backbone.weights" in json.loads(thaw("check", "--json", code=1))[0]["says"]
