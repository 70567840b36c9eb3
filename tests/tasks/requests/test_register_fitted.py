"""`Model.register` and `thaw init --from`: the way from a notebook into the registry and into a project."""

from pathlib import Path

import pytest
from notebook_models import fit_digits
from registration import copy_empty_store, inside
from stage_runs import run_stage
from typer.testing import CliRunner

from flows.cli import app
from tasks.project.paths import FEATURES_INDEX, HEAD, STRATEGY
from tasks.registry.registry import open_registry
from thaw.features.store.store import read_index
from thaw.params.sections import RegistryParams
from thaw.params.values.reading import read_params
from thaw.params.values.strategy import Strategy, write_strategy


def test_a_model_becomes_one_version_that_answers_alike_and_begins_a_project(
    tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    fitted = fit_digits(tmp_path)
    monkeypatch.chdir(copy_empty_store(empty_store, tmp_path))
    assert fitted.model.register("tiny") == fitted.model.register("tiny") == "models:/tiny/1"
    (version,) = open_registry(RegistryParams(name="tiny")).versions()
    assert version.aliases == ("challenger",) and version.tags["thaw.fingerprint"] == fitted.model.fingerprint
    file = str(fitted.source / "2/03.png")
    answers = mlflow.pyfunc.load_model(version.uri).predict([file])
    assert answers["label"].tolist() == fitted.model.predict(file)["label"].tolist()

    runner = CliRunner()
    told = runner.invoke(app, ["init", str(tmp_path / "birds"), "--from", version.uri, "--no-git"])
    assert told.exit_code == 0 and "fitted in a notebook by the strategy linear" in told.output, told.output
    asked = read_params(tmp_path / "birds/params.yaml")
    assert asked == fitted.model.setup.asked.model_copy(update={"registry": RegistryParams(name="birds")})
    folder = fitted.model.save(tmp_path / "saved")
    _has_the_same_head(tmp_path / "birds", folder)
    told = runner.invoke(app, ["init", str(tmp_path / "bees"), "--from", str(folder), "--dry-run"])
    assert told.exit_code == 0 and "would write" in told.output, told.output
    assert runner.invoke(app, ["init", "x", "--from", str(folder), "--example", "texts"]).exit_code == 1
    assert runner.invoke(app, ["init", "x", "--from", str(fitted.source)]).exit_code == 1


def _has_the_same_head(project: Path, model: Path) -> None:
    """The stages of the project make the head of the notebook, byte for byte."""
    from tasks.stages import extract, fetch, head, ingest

    with inside(project):
        for stage in (fetch, ingest, extract):
            run_stage(stage)
        write_strategy(Strategy("linear", read_index(FEATURES_INDEX).layer(None).name), STRATEGY)  # as `advise` does
        run_stage(head)
    for file in ("head.safetensors", "head.json"):
        assert (project / HEAD / file).read_bytes() == (model / file).read_bytes()
