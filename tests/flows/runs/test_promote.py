"""`thaw promote` and `thaw rollback`, as flows on a real server and store; the versions hold predictions and nothing else."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest
from commands import Thaw
from documented import DOCS, block_with
from registration import challenge, copy_empty_store, inside
from toy import build_toy, environment

from flows.runs.promote import override
from tasks.registry.registry import open_registry
from thaw.foundation.errors import RegistryError
from thaw.params.values.reading import read_params

pytestmark = pytest.mark.slow

PARAMS = """\
dataset: {source: photos}
backbone: {weights: small.safetensors}
registry: {name: pets}
statistics: {bootstrap: 100}
"""


REFUSED = """
import json
from prefect.client.orchestration import get_client
from flows.project.environment import enter_project
enter_project()
from flows.runs.promote import promote
state = promote(return_state=True)
with get_client(sync_client=True) as client:
    run = state.state_details.flow_run_id
    keys = sorted(artifact.key for artifact in client.read_artifacts() if artifact.flow_run_id == run)
    flow_run = client.read_flow_run(run)
kept = flow_run.state
print(json.dumps({
    "type": kept.type.value, "name": kept.name, "message": kept.message, "artifacts": keys,
    "promoted": state.result().promoted, "run": flow_run.name,
}))
"""
"""Runs the flow, and prints what the server keeps of it."""


def run(warm: Path, root: Path, code: str) -> str:
    own = {"PYTHONPATH": str(Path.cwd()), "MLFLOW_TRACKING_URI": ""}
    found = subprocess.run(
        [warm / "forked", "-c", code],
        cwd=root, env=environment() | own, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout.splitlines()[-1]


def documented(thaw: Thaw, root: Path, block: str) -> list[str]:
    """Run the lines of a page in `root`; returns the output of each."""
    return [thaw(*shlex.split(line, comments=True)[1:], cwd=root).stdout for line in block.splitlines()]


def test_a_challenger_is_promoted_another_refused_and_the_former_champion_restored(
    tmp_path: Path, prefect: str, empty_store: Path, thaw: Thaw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("PREFECT_API_URL", prefect)
    root = build_toy(tmp_path / "toy")
    (root / "params.yaml").write_text(PARAMS)
    copy_empty_store(empty_store, root)
    with inside(root):
        registry = open_registry(read_params().registry)
        registry.client.create_registered_model(registry.name)
        challenge(registry, right=40)
    assert json.loads(thaw("promote", "--json", cwd=root).stdout)["promoted"]
    with inside(root):
        challenge(registry, right=58)
    assert "Dry run, nothing was changed" in thaw("promote", "--dry-run", cwd=root).stdout
    assert "version 2 is the champion now" in thaw("promote", cwd=root).stdout
    with inside(root):
        challenge(registry, right=20)
    assert "version 3 stays the challenger" in thaw("promote", cwd=root, code=4).stdout
    dry, back = documented(thaw, root, block_with(DOCS / "promotion.md", "thaw rollback"))
    assert "Dry run" in dry and "version 1 is the champion now" in back

    listed = json.loads(thaw("models", "--json", cwd=root).stdout)["versions"]
    assert {version["version"]: version["aliases"] for version in listed} == {1: ["champion"], 2: [], 3: ["challenger"]}
    history = json.loads(thaw("models", "log", "--json", cwd=root).stdout)["history"]
    assert [(event["kind"], event["version"]) for event in history] == [
        ("promote", 1), ("promote", 2), ("refuse", 3), ("rollback", 1),
    ]  # fmt: skip
    assert all(event["flow_run"] for event in history), "each is a run of a flow"
    assert [one["gate"] for one in history[2]["gates"] if one["refuses"]] == [
        "paired test", "anchor", "recall", "calibration",
    ]  # fmt: skip
    shown = thaw("models", "log", cwd=root).stdout
    assert "worse" in shown and shown.index("refuse 3") < shown.index("rollback 1"), "the newest last"
    assert json.loads(thaw("models", "--history", "--json", cwd=root).stdout)["history"] == history, (
        "as it was called before"
    )
    assert "version 2 is barred" in thaw("rollback", "--to", "2", cwd=root, code=1).stderr
    (overridden,) = documented(thaw, root, block_with(DOCS / "promotion.md", "thaw promote --override"))
    assert (
        "version 3 is the champion now: overridden by" in overridden and "These 60 test rows have judged" in overridden
    )
    with inside(root):
        registry.client.set_registered_model_alias("pets", "champion", "1")
    listed = thaw("models", cwd=root).stdout
    assert "barred: outside Thaw" in listed and "barred: " in listed.split("\n3 ")[0]
    assert "outside 1, was 3" in thaw("models", "log", cwd=root).stdout
    (released,) = documented(thaw, root, block_with(DOCS / "promotion.md", "thaw promote --release"))
    assert "version 3 of pets is released" in released
    assert "version 3" in thaw("rollback", "--to", "3", cwd=root).stdout


def test_no_deployment_overrides_the_gates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT__RUNTIME__DEPLOYMENT__ID", "of a schedule")
    with pytest.raises(RegistryError, match="no schedule and no deployment overrides the gates"):
        override.fn("it is night")


def test_a_refusal_is_a_state_that_says_why_and_no_failure(
    tmp_path: Path, prefect: str, empty_store: Path, warm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", prefect)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    root = build_toy(tmp_path / "toy")
    (root / "params.yaml").write_text(PARAMS)
    copy_empty_store(empty_store, root)
    with inside(root):
        registry = open_registry(read_params().registry)
        registry.client.create_registered_model(registry.name)
        challenge(registry, checks=None)
    found = json.loads(run(warm, root, REFUSED))
    assert (found["type"], found["name"], found["promoted"]) == ("COMPLETED", "Refused", False)
    assert found["message"].startswith("version 1 stays the challenger: ") and "checks.json" in found["message"]
    assert (found["artifacts"], found["run"]) == (["gates", "promotion"], "version 1 stays the challenger")
