"""What docs/operations.md and docs/sharing.md show for a team, as it stands, on one Prefect server and one MLflow server by their lines.

A second machine carries on where the first stopped, and rebuilds its champion as docs/lineage.md shows.
A worker runs the deployments, and tells people as docs/schedules.md shows.
"""

import json
import re
import shlex
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from documented import DOCS, block_with, blocks, filled_in
from PIL import Image
from project import CHEAP, Project, clone
from started import serving
from web_hook import received

from flows.daemon.services import Service
from flows.processes.ports import HOST, free_port

pytestmark = pytest.mark.slow

SERVERS, TEAM = blocks(DOCS / "operations.md")
REMOTE, PHOTOS, ADDRESS, SECOND, STORE = blocks(DOCS / "sharing.md")
REBUILD = block_with(DOCS / "lineage.md", "thaw reproduce")
NOTIFICATIONS = block_with(DOCS / "schedules.md", "thaw notify add")
CLASSES = {"dark": 60, "light and bright": 200}
HOOK = "https://hooks.slack.com/services/..."
PREFECT, MLFLOW = "http://prefect.example.org:4200", "http://mlflow.example.org:5000"


@pytest.fixture(scope="module")
def servers(
    tmp_path_factory: pytest.TempPathFactory, prefect_home: Path, empty_store: Path
) -> Iterator[tuple[str, str]]:
    """Prefect's and MLflow's addresses, of servers by the lines of the page; on loopback, with what each is asked to keep in a folder."""
    folder, ports = tmp_path_factory.mktemp("servers"), (free_port(0), free_port(0))
    shutil.copytree(prefect_home, folder / "home")
    shutil.copy(empty_store / ".thaw/mlflow.db", folder)
    prefect, mlflow = (f"http://{HOST}:{port}" for port in ports)
    given = {
        "start --host 0.0.0.0": f"start --host {HOST} --port {ports[0]}", "--host 0.0.0.0": f"--host {HOST} --port {ports[1]} --workers 1",
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


@dataclass(frozen=True)
class Machine(Project):
    """A clone of the project that knows the MLflow server."""

    server: str = ""

    def environment(self) -> dict[str, str]:
        return super().environment() | {"MLFLOW_TRACKING_URI": self.server}

    def type(self, commands: str, cwd: Path | None = None) -> str:
        """Type what a page shows into a shell; it stops at the first line that fails."""
        typed = subprocess.run(
            ["bash", "-c", f"set -euo pipefail\n{commands}"], cwd=cwd or self.root, env=self.environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900, check=False,
        )  # fmt: skip
        assert typed.returncode == 0, typed.stdout
        return typed.stdout


def draw_photos(folder: Path) -> None:
    noise = np.random.default_rng(0)
    for split, count in (("train", 6), ("test", 15)):
        for name, grey in CLASSES.items():
            for number in range(count):
                pixels = np.clip(noise.normal(grey, 60, (16, 16, 3)), 0, 255).astype(np.uint8)
                path = folder / split / name / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(path)


def test_a_second_machine_has_nothing_to_do_and_rebuilds_the_champion(
    servers: tuple[str, str], tmp_path: Path, warm: Path
) -> None:
    prefect, mlflow = servers
    settings = (*CHEAP, "dataset.source=photos")
    first = Machine(clone(tmp_path / "first", settings, programs=warm).root, f"{prefect}/api", warm, server=mlflow)
    draw_photos(first.root / "photos")
    first.run("git", "init", "--quiet", "--bare", str(tmp_path / "origin.git"))
    first.run("git", "remote", "add", "origin", str(tmp_path / "origin.git"))
    first.run("git", "push", "--quiet", "--set-upstream", "origin", "HEAD")
    first.type(PHOTOS)
    shutil.rmtree(first.root / ".dvc/cache")

    second = Machine(tmp_path / "second", f"{prefect}/api", warm, server=mlflow)
    given = {
        "ADDRESS project": f"{tmp_path}/origin.git second", "cd project": "cd second", "make install": "true",
        "source .venv/bin/activate": "true", MLFLOW: mlflow,
    }  # fmt: skip
    assert ADDRESS in SECOND, "shown by itself, and again for the second machine"
    said = second.type(filled_in(SECOND, given), tmp_path)
    assert "Nothing to do: every stage is up to date." in said and "version 1 is the champion already" in said
    assert second.run("git", "status", "--porcelain") == ""

    traced = second.json("trace")
    assert traced["commit"] == {"id": first.run("git", "rev-parse", "HEAD~1").strip(), "dirty": False, "changed": []}
    assert len(traced["training"]) == 10, "five a class, of six"
    rebuild_the_champion(second)

    second.type(REMOTE + STORE)
    changed = (second.root / ".dvc/config").read_text() + (second.root / "params.yaml").read_text()
    assert all(word in changed for word in ("s3://bucket/thaw", "https://s3.example.org", "s3://bucket/features"))
    second.run("git", "checkout", "--quiet", "--", ".")
    refused_where_photos_are_gone(second)


def rebuild_the_champion(machine: Machine) -> None:
    """What docs/lineage.md shows, of the version that there is."""
    before = machine.json("models")["versions"]
    said = machine.type(filled_in(REBUILD, {"reproduce 3": "reproduce 1"}))
    assert "All inputs are available." in said and "It agrees, within 0.01." in said
    assert "photos: the DVC remote `storage`" in said
    assert re.search(r"data/weights/thaw_small\.safetensors: (the DVC remote `storage`|this project's DVC cache)", said)
    assert machine.json("models")["versions"] == before and not list((machine.root / ".thaw").glob("reproduce-*"))
    shutil.rmtree(machine.root / "rebuilt")
    assert machine.run("git", "status", "--porcelain") == "", "nothing of it is left in the tree"


def refused_where_photos_are_gone(machine: Machine) -> None:
    """Nobody keeps the photos any more, one is gone and one is another; then they lie elsewhere, and all is well."""
    machine.run("dvc", "remote", "remove", "storage")
    shutil.rmtree(machine.root / ".dvc/cache")
    photos = machine.root / "photos"
    shutil.copytree(photos, machine.root / "mine")  # DVC's own are links, and not to be written to
    shutil.rmtree(photos)
    (machine.root / "mine").rename(photos)
    for file in photos.rglob("*.png"):
        file.chmod(0o644)
    gone, other = photos / "test/dark/3.png", photos / "train/dark/1.png"
    gone.rename(machine.root / "kept.png")
    content = other.read_bytes()
    other.write_bytes(b"something else")
    said = machine.run("thaw", "reproduce", "1", code=1)
    assert "1 gone: test/dark/3.png; 1 changed: train/dark/1.png" in said and "dvc add photos" in said
    (machine.root / "kept.png").rename(photos / "moved.png")
    other.write_bytes(content)
    assert "where each example has its recorded digest" in machine.run("thaw", "reproduce", "1", "--dry-run")


def test_a_team_has_its_deployments_a_worker_and_notifications(
    servers: tuple[str, str], tmp_path: Path, warm: Path
) -> None:
    project, log = clone(tmp_path / "project", programs=warm), tmp_path / "said.txt"
    prefect, mlflow = servers
    with received() as (hook, messages):
        given = {PREFECT: prefect, MLFLOW: mlflow, HOOK: f"{hook}/s3cr3t"}
        *exported, worker = filled_in(TEAM, given).strip().splitlines()
        script = "\n".join([*exported, filled_in(NOTIFICATIONS, given), f"exec {worker}"])
        with typed(project, script, log) as shell:
            wait_for(lambda: ask(prefect, "/work_pools/thaw/workers/filter"), shell, log)
            deployed = {deployment["name"] for deployment in ask(prefect, "/deployments/filter")}
        said = log.read_text()
    assert deployed == {"transfer", "score", "watch", "promote", "rollback"}
    assert [message["subject"] for message in messages] == ["thaw: a test"]
    assert "Set up: team" in said and "Set up: me" in said and "PASSWORD" not in said and "Dry run" in said


@contextmanager
def typed(project: Project, script: str, log: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """What the page shows, in one shell that ends as its last program; stopped by SIGTERM."""
    with log.open("w") as out:
        command = ["bash", "-c", f"set -euo pipefail\n{script}"]
        shell = subprocess.Popen(command, cwd=project.root, env=project.environment(), stdout=out, stderr=out)
    try:
        yield shell
        assert shell.poll() is None, log.read_text()
    finally:
        shell.terminate()
        shell.wait(60)


def ask(prefect: str, path: str) -> list[dict[str, object]]:
    request = urllib.request.Request(f"{prefect}/api{path}", b"{}", {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return list(json.load(answer))


def wait_for(condition: Callable[[], object], shell: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 300
    while True:
        try:
            if condition():
                return
        except OSError:  # there is no such pool yet
            pass
        assert shell.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.5)
