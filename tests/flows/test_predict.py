"""`thaw predict`, with models as they are deployed: one that knows what it does not know, and one that does not."""

import csv
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from openness_rows import opened_predictor, pictures, predictor_on_digits
from PIL import Image
from typer.testing import CliRunner, Result

from flows.cli.app import app
from flows.environment import defaults
from tasks.pipeline_run import PYFUNC, _outputs, _signature
from thaw.predictor import Predictor


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    return {
        name: deploy(each, root / name)
        for name, each in (("plain", predictor_on_digits()), ("opened", opened_predictor()))
    }


def deploy(predictor: Predictor, folder: Path) -> Path:
    predictor.write(folder / "parts")
    mlflow.pyfunc.save_model(
        folder / "model", python_model=str(PYFUNC), artifacts={"model": str(folder / "parts")}, pip_requirements=["torch"],
        signature=_signature(_outputs(predictor)),
    )  # fmt: skip
    return folder / "model"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project, with a digit that was learnt from, a cross, and what is no picture."""
    root = tmp_path_factory.mktemp("project")
    (root / "dvc.yaml").write_text("stages: {}\n")
    (root / "params.yaml").write_text("dataset: {source: photos}\nbackbone: {weights: x.safetensors}\n")
    (root / "photos").mkdir()
    for name, pixels in zip(("digit", "cross"), pictures(0, 1), strict=True):
        Image.fromarray(pixels).save(root / f"photos/{name}.png")
    (root / "photos/bad.png").write_bytes(b"no picture")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MLFLOW_TRACKING_URI", *defaults(root)):
            patch.setenv(name, "")  # so that it is as before in the end: the command sets what is not set
            patch.delenv(name)
        for name in ("PATH", "PWD"):
            patch.setenv(name, os.environ[name])
        patch.setenv("COLUMNS", "200")
        patch.chdir(root)
        yield root


def predicted(model: Path, *options: str) -> Result:
    found = CliRunner().invoke(app, ["predict", "photos", "--model", str(model), *options])
    assert found.exit_code == 0, found.output
    return found


def test_it_says_neither_of_a_cross_and_how_well_known_each_picture_is(project: Path, models: dict[str, Path]) -> None:
    bad, cross, digit = csv.DictReader(io.StringIO(predicted(models["opened"], "--csv").stdout))
    assert list(bad) == ["path", "label", "confidence", "known_score", "reason"]
    assert (bad["label"], bad["known_score"]) == ("", "") and "not an image" in bad["reason"]
    assert cross["label"] == "neither" and digit["label"] in {"0", "1", "2"}
    assert float(cross["known_score"]) < opened_predictor().openness.threshold <= float(digit["known_score"])
    rows = json.loads(predicted(models["opened"], "--json").stdout)
    assert [row["label"] for row in rows] == [None, "neither", digit["label"]]
    assert set(rows[1]["probabilities"]) == {"0", "1", "2"} and rows[0]["known_score"] is None


def test_a_model_that_knows_no_unknown_prints_what_it_always_did(project: Path, models: dict[str, Path]) -> None:
    rows = list(csv.DictReader(io.StringIO(predicted(models["plain"], "--csv").stdout)))
    assert list(rows[0]) == ["path", "label", "confidence", "reason"]
    assert {row["label"] for row in rows} <= {"", "0", "1", "2"}
    assert "known score" not in predicted(models["plain"]).stdout
