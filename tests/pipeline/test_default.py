"""The main job on the embedded default, as `make run` does it, and the two other doors to it."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest
from project import Project

pytestmark = pytest.mark.slow


def test_it_ends_with_a_champion_a_report_and_what_it_measured(default_project: Project) -> None:
    versions = default_project.json("models")
    metrics = default_project.metrics()
    assert [version["aliases"] for version in versions["versions"]] == [["challenger", "champion"]]
    assert metrics["test"]["n"] == pq.read_table(default_project.root / "data/report/predictions.parquet").num_rows
    assert "<html" in (default_project.root / "data/report/report.html").read_text()
    status = default_project.json("status")
    assert {stage["state"] for stage in status["stages"]} == {"up to date"}


def test_its_run_is_named_after_what_it_made_in_prefect_and_in_mlflow(default_project: Project) -> None:
    version = default_project.json("models")["versions"][0]
    name = f"digits, {version['tags']['strategy']}, accuracy {version['tags']['accuracy'].split()[0]}"
    runs = httpx.post(f"{default_project.prefect}/flow_runs/filter", json={"limit": 200}).json()
    assert [run["name"] for run in runs if run["id"] == version["tags"]["thaw.flow_run"]] == [name]
    with sqlite3.connect(default_project.root / ".thaw/mlflow.db") as database:
        named = database.execute("select name from runs where run_uuid = ?", [version["run_id"]]).fetchall()
    assert named == [(name,)]


def test_transfer_pays_on_the_embedded_default(default_project: Project) -> None:
    transfer = default_project.metrics()["transfer"]
    gain = transfer["scratch"]
    assert transfer["seeds"] == 3
    # The card states what was measured with care; processors without bfloat16 shift a seed by a tenth of a point.
    assert gain["difference"] >= 0.045, "frozen features beat the same network from scratch"
    assert gain["low"] > 0, "and the paired 95% interval is above zero"
    assert transfer["pixels"]["low"] > 0, "and they beat a linear model on raw pixels"


def test_the_other_doors_then_have_nothing_to_do(default_project: Project) -> None:
    before = default_project.lock()
    assert "Data and pipelines are up to date" in default_project.run("dvc", "repro")
    assert default_project.json("run")["nothing_to_do"]
    until = default_project.json("run", "--until", "head")
    assert until["promotion"] is None and until["stages"][-1]["name"] == "head", "and so no promotion"
    assert default_project.lock() == before
    assert len(default_project.json("models")["versions"]) == 1


LOAD = """
import json, sys, mlflow
model = mlflow.pyfunc.load_model("models:/thaw-digits@champion")
found = model.predict([sys.argv[1]])
assert not {"tasks", "flows", "dvc", "prefect"} & {name.split(".")[0] for name in sys.modules}, "the pipeline was imported"
print(json.dumps(found.to_dict("records")))
"""


def test_the_model_loads_where_there_is_no_project(default_project: Project, tmp_path: Path) -> None:
    image = next((default_project.root / "data/sources/digits/7").iterdir())
    store = f"sqlite:///{default_project.root}/.thaw/mlflow.db"
    environment = default_project.environment() | {"MLFLOW_TRACKING_URI": store, "PYTHONPATH": ""}
    found = subprocess.run(
        [sys.executable, "-c", LOAD, str(image)],
        cwd=tmp_path,
        env=environment,
        text=True,
        capture_output=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    (row,) = json.loads(found.stdout.splitlines()[-1])
    assert row["label"] in list("0123456789") and 0 < row["confidence"] <= 1


def test_predict_labels_files_and_says_what_is_wrong_with_bad_ones(default_project: Project, tmp_path: Path) -> None:
    image = next((default_project.root / "data/sources/digits/3").iterdir())
    (tmp_path / "3.png").write_bytes(image.read_bytes())
    (tmp_path / "bad.png").write_bytes(b"no picture")
    rows = default_project.json("predict", str(tmp_path))
    assert "3.png" in json.dumps(rows) and "not an image" in json.dumps(rows)


def test_the_cache_is_looked_after(default_project: Project, tmp_path: Path) -> None:
    listed = default_project.json("cache", "ls")
    layers = listed["layers"]
    digests = set(pq.read_table(default_project.root / "data/manifest.parquet")["digest"].to_pylist())
    assert {each["layer"]["name"] for each in layers} == {"maxpool", "layer1.0", "layer2.0", "flatten"}
    assert {each["rows"] for each in layers} == {len(digests)}
    assert {each["layer"]["fingerprint"] for each in layers} == set(listed["current"])
    parts = sum(each["parts"] for each in layers)
    assert default_project.json("cache", "verify") == {"parts": parts, "damaged": []}
    assert default_project.json("cache", "gc", "--dry-run") == {"files": [], "bytes": 0, "deleted": False}
    assert "Nothing to join" in default_project.run("thaw", "cache", "compact")
    default_project.run("thaw", "cache", "export", str(tmp_path / "out"))
    assert pq.read_table(tmp_path / "out/features.parquet").num_rows == len(digests)
    found = default_project.json("cache", "import", str(tmp_path / "out/features.npy"), "--dry-run")
    assert (found["rows"], found["new"], found["written"]) == (len(digests), 0, False)
    assert default_project.json("run")["nothing_to_do"], "looking changes nothing"
