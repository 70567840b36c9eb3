"""A schedule, end to end: a real Prefect server and worker on loopback, a scheduled run, and the model version that it leaves."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from project import CHEAP, Project, clone

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


class Servers:
    """A Prefect server with its own empty home, and what talks to it; every process is ended with its group."""

    def __init__(self, project: Project, home: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.api = f"http://127.0.0.1:{self.port}/api"
        self.project = project
        self.home = home
        self.environment = project.environment() | {
            "PREFECT_HOME": str(home), "PREFECT_API_URL": self.api, "PWD": str(project.root),
            "DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        }  # fmt: skip
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, *arguments: str) -> None:
        log = (self.home / f"{name}.log").open("wb")
        self.processes.append(
            subprocess.Popen(
                ["prefect", *arguments],
                cwd=self.project.root,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        )

    def prefect(self, *arguments: str) -> None:
        subprocess.run(["prefect", *arguments], cwd=self.project.root, env=self.environment, check=True, timeout=240)

    def ask(self, path: str, body: object | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.api}{path}", data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def wait_until_up(self) -> None:
        for _ in range(600):
            try:
                if self.ask("/health") is True:
                    return
            except OSError:
                time.sleep(0.2)
        pytest.fail((self.home / "server.log").read_text())

    def stop(self) -> None:
        # The worker ignores the first SIGTERM for a while: whoever is left after a moment is killed.
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in reversed(self.processes):
                try:
                    os.killpg(process.pid, number)
                except ProcessLookupError:
                    continue
            time.sleep(3 if number is signal.SIGTERM else 0)
        for process in self.processes:
            process.wait()


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    project = clone(tmp_path / "project", CHEAP)
    deployments = project.root / "prefect.yaml"
    nightly = deployments.read_text()
    assert 'cron: "0 2 * * *"' in nightly
    deployments.write_text(nightly.replace('cron: "0 2 * * *"', 'cron: "* * * * *"'))
    home = tmp_path / "prefect"
    home.mkdir()
    started = Servers(project, home)
    try:
        yield started
    finally:
        started.stop()


def test_a_scheduled_run_leaves_a_new_champion(servers: Servers) -> None:
    servers.start("server", "server", "start", "--host", "127.0.0.1", "--port", str(servers.port))
    servers.wait_until_up()
    servers.prefect("work-pool", "create", "--type", "process", "thaw")
    servers.prefect("--no-prompt", "deploy", "--all")
    servers.start("worker", "worker", "start", "--pool", "thaw")

    completed = {
        "flow_runs": {"state": {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED"]}}},
        "flows": {"name": {"any_": ["transfer"]}},
    }
    deadline = time.monotonic() + 600
    while not (ended := servers.ask("/flow_runs/filter", completed)):
        assert time.monotonic() < deadline, (servers.home / "worker.log").read_text()
        time.sleep(1)
    assert ended[0]["state"]["type"] == "COMPLETED", (servers.home / "worker.log").read_text()
    assert ended[0]["auto_scheduled"], "the scheduler made it, not a person"

    (version,) = servers.project.json("models")["versions"]
    assert version["aliases"] == ["challenger", "champion"]
    assert version["tags"]["thaw.flow_run"] == ended[0]["id"]
    keys = {artifact["key"] for artifact in servers.ask("/artifacts/filter", {})}
    assert {"metrics", "report", "model"} <= keys
