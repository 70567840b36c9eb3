"""`thaw predict`, with models as they are deployed: one that knows what it does not know, and one that does not."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pyarrow.parquet as pq
import pytest
from openness_rows import opened_predictor, pictures, predictor_on_digits
from PIL import Image
from scored import write_pngs
from typer.testing import CliRunner, Result

from flows.cli.app import app
from flows.cli.predict import FEW
from tasks.registry.mlflow_run import PYFUNC, _outputs, _signature
from thaw.models.prediction.predictor import Predictor


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
        patch.setenv("COLUMNS", "200")
        patch.chdir(root)
        yield root


def predicted(model: Path, *options: str, source: str = "photos", code: int = 0) -> Result:
    found = CliRunner().invoke(app, ["predict", source, "--model", str(model), *options])
    assert found.exit_code == code, found.output
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


def test_more_than_a_few_go_to_a_table_and_are_counted(project: Path, models: dict[str, Path]) -> None:
    many = str(write_pngs(project / "many", FEW + 1))
    said = predicted(models["plain"], source=many).stdout
    assert "101 images by" in said and "101 of them through the network" in said
    (path,) = Path("data/scores").glob("many-*.parquet")
    assert str(path) in said.replace("\n", "") and pq.read_table(path).num_rows == 101
    rows = list(csv.DictReader(io.StringIO(predicted(models["plain"], "--csv", source=many).stdout)))
    assert len(rows) == 101 and {row["reason"] for row in rows} == {""}
    found = json.loads(predicted(models["plain"], "--dry-run", "--json", source=many).stdout)
    assert (found["images"], found["cached"]) == (101, 101)


def test_a_table_goes_where_it_is_asked_for(project: Path, models: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "x.parquet"
    found = json.loads(predicted(models["opened"], "--out", str(out), "--json").stdout)
    assert (found["path"], found["images"], found["rejected"]) == (str(out), 3, 1)
    assert found["labels"]["neither"] == 1 and pq.read_table(out).num_rows == 3
    assert "neither" in predicted(models["opened"], "--out", "monday").stdout
    assert Path("data/scores/monday.parquet").exists()


def test_what_cannot_be_scored_is_told_in_one_line(project: Path, models: dict[str, Path]) -> None:
    for source, complaint in [
        ("gone", "does not exist"),
        ("*.gone", "matches no file"),
        ("nonsense://x", "cannot be used"),
    ]:
        said = predicted(models["plain"], source=source, code=1)
        assert complaint in said.stderr and "Traceback" not in said.output
    assert "no name of a table" in predicted(models["plain"], "--out", "x.csv", code=1).stderr


def test_listings_are_relative_to_themselves_and_globs_to_the_caller(project: Path, models: dict[str, Path]) -> None:
    Path("photos/list.csv").write_text("path\ndigit.png\n../dvc.yaml\n")
    try:
        first, second = json.loads(predicted(models["plain"], "--json", source="photos/list.csv").stdout)
        assert first["path"] == "digit.png" and first["label"] in {"0", "1", "2"} and ".." in second["reason"]
    finally:
        Path("photos/list.csv").unlink()
    (one,) = json.loads(predicted(models["plain"], "--json", source="photos/d*.png").stdout)
    assert one["path"] == str(project / "photos/digit.png")


def test_it_ends_with_1_if_no_file_can_be_used(project: Path, models: dict[str, Path], tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"no picture")
    source = str(tmp_path)
    for options in ((), ("--csv",), ("--json",), ("--out", "refused"), ("--out", "refused", "--json")):
        said = predicted(models["plain"], *options, source=source, code=1)
        assert "2 images given, and none can be used: `" in said.stderr and "is not an image" in said.stderr
        assert "the column reason has the others" in said.stderr
        assert ("a.png" in said.stdout) == (not any("refused" in option for option in options))
    assert pq.read_table("data/scores/refused.parquet").num_rows == 2  # what was written stays
    (tmp_path / "list.csv").write_text("path\ngone.png\n")
    said = predicted(models["plain"], "--dry-run", source=str(tmp_path / "list.csv"), code=1)
    assert "1 image given, and none can be opened" in said.stderr
