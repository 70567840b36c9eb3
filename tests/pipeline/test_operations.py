"""What docs/operations.md shows for a team, as it stands: servers of their own, deployments, a worker, notifications."""

import json
import shlex
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from documented import DOCS, blocks, filled_in
from project import Project, clone
from started import serving
from web_hook import received

from flows.daemon.services import HOST, Service, free_port

pytestmark = pytest.mark.slow

UP, SERVERS, TEAM, NOTIFICATIONS = blocks(DOCS / "operations.md")


@contextmanager
def team_servers(folder: Path) -> Iterator[tuple[str, str]]:
    """Prefect's and MLflow's addresses, of servers by the lines of the page; on loopback, with what each is asked to keep in a folder."""
    ports = free_port(0), free_port(0)
    prefect, mlflow = (f"http://{HOST}:{port}" for port in ports)
    given = {
        "start --host 0.0.0.0": f"start --host {HOST} --port {ports[0]}", "--host 0.0.0.0": f"--host {HOST} --port {ports[1]}",
        "postgresql://...": "sqlite:///mlflow.db", "s3://bucket/mlflow": "mlartifacts", "mlflow.example.org:5000": f"{HOST}:{ports[1]}",
    }  # fmt: skip
    lines = [shlex.split(line, comments=True) for line in filled_in(SERVERS, given).splitlines()]
    commands = [(str(Path(sys.executable).parent / program), *options) for program, *options in lines]
    own = {"PREFECT_HOME": str(folder / "home"), "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (
        serving(Service("prefect", commands[0], prefect, f"{prefect}/api/health", own), folder),
        serving(Service("mlflow", commands[1], mlflow, f"{mlflow}/health", own), folder),
    ):
        yield prefect, mlflow


def test_a_team_has_its_deployments_a_worker_and_notifications(tmp_path: Path) -> None:
    project = clone(tmp_path / "project")
    with team_servers(tmp_path) as (prefect, mlflow), received() as (hook, messages):
        given = {
            "http://prefect.example.org:4200": prefect, "http://mlflow.example.org:5000": mlflow,
            "https://hooks.slack.com/services/...": f"{hook}/s3cr3t",
        }  # fmt: skip
        *exported, worker = filled_in(TEAM, given).strip().splitlines()
        script = "\n".join([*exported, filled_in(NOTIFICATIONS, given), f"exec {worker}"])
        with typed(project, script, tmp_path / "said.txt") as shell:
            wait_for(lambda: ask(prefect, "/work_pools/thaw/workers/filter"), shell, tmp_path / "said.txt")
            deployed = {one["name"] for one in ask(prefect, "/deployments/filter")}
        said = (tmp_path / "said.txt").read_text()
    assert deployed == {"transfer", "score", "watch", "promote", "rollback"}
    assert [message["subject"] for message in messages] == ["thaw: a test"]
    assert "Set up: team" in said and "Set up: me" in said and "PASSWORD" not in said and "Dry run" in said


def test_the_page_shows_no_other_commands() -> None:
    assert UP.split() == ["thaw", "up"], "which the README shows as well, and its test runs"


@contextmanager
def typed(project: Project, script: str, said: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """What the page shows, in one shell that ends as its last program; stopped by SIGTERM."""
    with said.open("w") as log:
        command = ["bash", "-c", f"set -euo pipefail\n{script}"]
        shell = subprocess.Popen(command, cwd=project.root, env=project.environment(), stdout=log, stderr=log)
    try:
        yield shell
        assert shell.poll() is None, said.read_text()
    finally:
        shell.terminate()
        shell.wait(60)


def ask(prefect: str, path: str) -> list[dict[str, object]]:
    request = urllib.request.Request(f"{prefect}/api{path}", b"{}", {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return list(json.load(answer))


def wait_for(condition, shell, said: Path) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + 300
    while True:
        try:
            if condition():
                return
        except OSError:  # there is no such pool yet
            pass
        assert shell.poll() is None and time.monotonic() < deadline, said.read_text()
        time.sleep(0.5)
