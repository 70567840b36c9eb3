"""A schedule, end to end: `thaw up`, a scheduled run of the real pipeline, and the model version that it leaves."""

import json
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from project import CHEAP, Project, clone

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = clone(tmp_path / "project", CHEAP)
    deployments = made.root / "prefect.yaml"
    nightly = deployments.read_text()
    assert 'cron: "0 2 * * *"' in nightly
    deployments.write_text(nightly.replace('cron: "0 2 * * *"', 'cron: "* * * * *"'))
    return made


@contextmanager
def up(project: Project) -> "Iterator[subprocess.Popen[bytes]]":
    with (project.root.parent / "up.txt").open("wb") as said:
        process = subprocess.Popen(
            ["thaw", "up"],
            cwd=project.root,
            env=project.environment(),
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
            process.send_signal(signal.SIGTERM)
            code = process.wait(120)
            _, left = psutil.wait_procs(family, timeout=10)
    assert code == 0 and not [one for one in left if one.status() != psutil.STATUS_ZOMBIE]


def test_a_scheduled_run_leaves_a_new_champion(project: Project) -> None:
    with up(project) as process:
        run = first_run(project, process)
        assert run["auto_scheduled"], "the scheduler made it, not a person"
        keys = {artifact["key"]: artifact for artifact in ask(project, "/artifacts/filter", {})}
        assert {"metrics", "report", "model"} <= set(keys)
        assert f"{addresses(project)['mlflow']}/#/models/thaw-digits/versions/1" in keys["model"]["data"]

    # The MLflow server had the project's own store: all that it was told is there without it.
    (version,) = project.json("models")["versions"]
    assert version["aliases"] == ["challenger", "champion"]
    assert version["tags"]["thaw.flow_run"] == run["id"]
    picture = next((project.root / "data/sources/digits").rglob("*.png"))
    (labelled,) = project.json("predict", str(picture))
    assert labelled["label"] and not labelled["reason"]


def first_run(project: Project, process: "subprocess.Popen[bytes]") -> Any:
    """The first run of `transfer` that has ended; it must have ended well."""

    def said() -> str:
        return (project.root.parent / "up.txt").read_text()

    deadline = time.monotonic() + 900
    while True:
        assert process.poll() is None and time.monotonic() < deadline, said()
        try:
            ended = ask(project, "/flow_runs/filter", ENDED)
        except OSError:  # it is not up yet, or busy
            ended = []
        if ended:
            assert ended[0]["state"]["type"] == "COMPLETED", said()
            return ended[0]
        time.sleep(1)


def ask(project: Project, path: str, body: object) -> Any:
    headers = {"Content-Type": "application/json"}
    address = f"{addresses(project)['prefect']}/api{path}"
    request = urllib.request.Request(address, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def addresses(project: Project) -> dict[str, str]:
    return dict(json.loads((project.root / ".thaw/servers.json").read_text()))


ENDED = {
    "flow_runs": {"state": {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED"]}}},
    "flows": {"name": {"any_": ["transfer"]}},
    "sort": "EXPECTED_START_TIME_ASC",
}
