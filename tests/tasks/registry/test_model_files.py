"""Finding the predictor's files in a model that MLflow wrote; the model is a folder, so no store is needed."""

import shutil
from pathlib import Path

import pytest
from started import mlflow_server, serving

from flows.processes.ports import HOST, free_port
from tasks.registry.mlflow_store import connect
from tasks.registry.model_files import PredictorFiles, bring_predictor_files, find_predictor_files

MLMODEL = """\
flavors:
  python_function:
    artifacts:
      model: {path: artifacts/parts, uri: /where/it/was/made}
model_id: m-12
utc_time_created: '2026-01-01 00:00:00.5'
"""


def write_model(folder: Path, card: str) -> str:
    (folder / "artifacts/parts").mkdir(parents=True)
    (folder / "artifacts/parts/head.json").write_text("{}")
    (folder / "MLmodel").write_text(card)
    return str(folder)


@pytest.mark.parametrize("ending", ["", "/"])
def test_they_are_found_and_brought_without_what_lies_beside_them(tmp_path: Path, ending: str) -> None:
    model = write_model(tmp_path / "model", MLMODEL)
    files = find_predictor_files(model + ending)
    assert files == PredictorFiles(f"{model}/artifacts/parts", "m-12 2026-01-01 00:00:00.5")
    brought = bring_predictor_files(files, tmp_path / "here")
    assert [path.name for path in brought.iterdir()] == ["head.json"] and (tmp_path / "here") in brought.parents
    assert not list((tmp_path / "here").rglob("MLmodel"))


@pytest.mark.parametrize("card", ["", "flavors: {sklearn: {}}", "flavors: {python_function: {}}", "[", "\x00", "- 1"])
def test_models_of_others_and_torn_ones_have_none(tmp_path: Path, card: str) -> None:
    assert find_predictor_files(write_model(tmp_path / "model", card)) is None


def test_a_model_whose_files_are_gone_is_told_from_one_of_others(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="holds no file MLmodel"):
        find_predictor_files(str(tmp_path / "gone"))


@pytest.mark.slow
def test_so_it_is_where_a_server_keeps_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port, model = free_port(0), write_model(tmp_path / "model", MLMODEL)
    with serving(mlflow_server(tmp_path, port), tmp_path):
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://{HOST}:{port}")
        client = connect()
        run = client.create_run("0").info.run_id
        client.log_artifacts(run, model, "model")
        files = find_predictor_files(f"runs:/{run}/model")
        assert files is not None and files.identity == "m-12 2026-01-01 00:00:00.5"
        brought = bring_predictor_files(files, tmp_path / "here")
        assert [path.name for path in brought.iterdir()] == ["head.json"]
        shutil.rmtree(tmp_path / "mlartifacts")
        with pytest.raises(OSError, match="holds no file MLmodel"):
            find_predictor_files(f"runs:/{run}/model")
