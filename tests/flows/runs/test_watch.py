"""`thaw watch` as a flow, on a real server and store; the version holds a reference and nothing else, and the images are scored already."""

import json
from pathlib import Path

import pytest
from commands import Thaw
from drifting import batch, reference, store_features, write_scores
from registration import copy_empty_store, inside
from toy import build_toy, ran

from tasks.registry.mlflow_store import experiment_id
from tasks.registry.registry import open_registry
from thaw.drift.reference import write_reference
from thaw.params.sections import RegistryParams

pytestmark = pytest.mark.slow

SCORES = "data/scores/blurred.parquet"
PARAMS = """\
dataset: {source: .}
backbone: {weights: input.txt}
registry: {name: pets}
promotion: {automatic: false}
watch: {false_alarms: 0.05, permutations: 200}
"""


@pytest.fixture
def root(tmp_path: Path, prefect: str, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A toy pipeline beside version 1 of `pets`."""
    monkeypatch.setenv("PREFECT_API_URL", prefect)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    root = build_toy(tmp_path / "toy")
    (root / "params.yaml").write_text(PARAMS)
    copy_empty_store(empty_store, root)
    with inside(root):
        registry = open_registry(RegistryParams(name="pets"))
        registry.client.create_registered_model("pets")
        run = registry.client.create_run(experiment_id(registry.client, "thaw"))
        write_reference(reference(), Path("reference.parquet"))
        registry.client.log_artifact(run.info.run_id, "reference.parquet", "report")
        registry.client.create_model_version("pets", "runs:/x/model", run.info.run_id)
        new = batch(270, 120, blur=True)
        store_features(Path("data/scores/features"), new)
        write_scores(Path(SCORES), new)
    return root


def test_drift_is_said_by_the_exit_code_and_starts_training_once(root: Path, thaw: Thaw) -> None:
    blurred = json.loads(thaw("watch", "--scores", SCORES, "--retrain", "--json", cwd=root, code=5).stdout)
    assert "inputs" in blurred["drifted"] and blurred["retraining"].startswith("Training was started")
    assert sorted(ran(root)) == ["first", "last", "left", "right"]

    (root / "input.txt").write_text("2")
    said = thaw("watch", "--scores", SCORES, "--retrain", cwd=root, code=5).stdout
    assert "started it before" in said and "the history keeps only one entry" in said
    assert len(ran(root)) == 4, "the pipeline has something to do, and was not started all the same"
    assert "Drift was found in 120 new examples" in said and "data/drift/drift.html" in said and "Next:" in said


def test_without_images_it_says_what_to_give(root: Path, thaw: Thaw) -> None:
    assert "or a table with --scores" in thaw("watch", cwd=root, code=2).stderr
