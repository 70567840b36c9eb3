"""The flow `score` on a real server: the table, the counts in Prefect's pages, and how it fails."""

import json
import subprocess
from pathlib import Path

import mlflow
import pytest
from openness_rows import predictor_on_digits
from scored import write_pngs
from toy import build_toy, environment

from tasks.registry.mlflow_run import PYFUNC, _outputs, _signature

pytestmark = pytest.mark.slow

RUN = """
import json, sys
from flows.project.environment import enter_project
enter_project()
from prefect.artifacts import Artifact
from flows.runs.score import score
found = score(["photos"], output="monday", model=sys.argv[1])
(artifact,) = [Artifact.get("scores")]
print(json.dumps({"path": str(found.path), "images": found.examples, "table": json.loads(artifact.data), "text": artifact.description}))
score(["gone"], model=sys.argv[1])
"""


def test_it_writes_a_table_publishes_its_counts_and_fails_in_one_sentence(
    tmp_path: Path, prefect: str, warm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    root = build_toy(tmp_path / "toy")
    (root / "params.yaml").write_text("dataset: {source: photos}\nbackbone: {weights: small.safetensors}\n")
    (root / ".thaw").mkdir()
    write_pngs(root / "photos", 5)
    (root / "photos" / "bad.png").write_bytes(b"x")
    predictor = predictor_on_digits()
    predictor.write(root / "parts")
    mlflow.pyfunc.save_model(
        root / "model", python_model=str(PYFUNC), artifacts={"model": str(root / "parts")}, pip_requirements=["torch"],
        signature=_signature(_outputs(predictor)),
    )  # fmt: skip
    own = {"PYTHONPATH": str(Path.cwd()), "PREFECT_API_URL": prefect, "MLFLOW_TRACKING_URI": ""}
    found = subprocess.run(
        [warm / "forked", "-c", RUN, str(root / "model")],
        cwd=root, env=environment() | own, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert found.stdout, found.stderr
    said = json.loads(found.stdout.splitlines()[-1])
    assert said["path"] == str(root / "data/scores/monday.parquet") and Path(said["path"]).exists()
    counts = {row["label"]: row["images"] for row in said["table"]}
    assert said["images"] == 6 and counts.pop("(cannot be used)") == 1 and sum(counts.values()) == 5
    assert "6 images by" in said["text"]
    assert "score: 6 of 6 examples (100%)" in found.stderr, "progress is in the flow's log"
    assert found.returncode != 0 and "does not exist; name examples" in found.stderr
