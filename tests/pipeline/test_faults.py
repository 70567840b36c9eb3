"""What breaks under a run, on real servers, files and data bases: one plain line, nothing lost, nothing doubled."""

import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from registration import copy_empty_store, inside
from started import mlflow_server, prefect_server, serving
from toy import build_toy, environment, ran

from flows.processes.ports import HOST, free_port
from tasks.project.paths import TRACKED
from tasks.registry.registering import is_tracked
from tasks.registry.registry import open_registry
from thaw.params.values.reading import read_params

pytestmark = pytest.mark.slow

MAY_PASS = 75


@pytest.fixture(scope="module")
def template(built_project: Path, empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that is ready to be registered, with a store that holds nothing."""
    root = Path(shutil.copytree(built_project, tmp_path_factory.mktemp("template") / "project"))
    return copy_empty_store(empty_store, root)


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "project"))


def stage(warm: Path, root: Path, name: str, **own: str) -> "subprocess.Popen[str]":
    """Start a stage as DVC does."""
    return subprocess.Popen(
        [str(warm / "python"), "-m", f"tasks.stages.{name}"], cwd=root, env=_environment() | own, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def run(warm: Path, root: Path, **own: str) -> "subprocess.Popen[str]":
    """Start `thaw run` as a user does."""
    return subprocess.Popen(
        [str(warm / "python"), "-m", "flows.cli", "run"], cwd=root, env=_environment() | own, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def _environment() -> dict[str, str]:
    return environment() | {
        "PYTHONPATH": str(Path.cwd()),
        "MLFLOW_TRACKING_URI": "",
        "PREFECT_API_URL": "",
        "COLUMNS": "200",
    }


def ended(process: "subprocess.Popen[str]", code: int) -> str:
    """The last line of a process that ends with `code`, and with no traceback."""
    output, _ = process.communicate(timeout=300)
    assert process.returncode == code and "Traceback" not in output, output
    return output.strip().splitlines()[-1]


def wait_until(condition: Callable[[], object], process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert process.poll() is None and time.monotonic() < deadline, "it ended before the fault could happen"
        time.sleep(0.02)


def runs(database: Path) -> int:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)) as connection:
        return int(connection.execute("select count(*) from runs where lifecycle_stage = 'active'").fetchone()[0])


def test_the_mlflow_server_dies_while_it_tracks_and_comes_back(project: Path, warm: Path) -> None:
    port = free_port(0)
    own = {"MLFLOW_TRACKING_URI": f"http://{HOST}:{port}", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
    with serving(mlflow_server(project / ".thaw", port), project) as server:
        track = stage(warm, project, "track", **own)
        wait_until(lambda: runs(project / ".thaw/mlflow.db"), track)
        server.stop(grace_s=0)
        said = ended(track, MAY_PASS)
    assert said == f"MLflow at {own['MLFLOW_TRACKING_URI']} did not answer; is it running?"
    assert not (project / TRACKED).exists()

    with serving(mlflow_server(project / ".thaw", port), project):
        said = ended(stage(warm, project, "track", **own), 0)
        assert "`thaw register` makes a version of it" in said
    assert runs(project / ".thaw/mlflow.db") == 1, "the run that was cut off is deleted"


def test_a_locked_data_base_is_worth_another_try(project: Path, warm: Path) -> None:
    with closing(sqlite3.connect(project / ".thaw/mlflow.db")) as connection:
        connection.execute("begin exclusive")
        said = ended(stage(warm, project, "track"), MAY_PASS)
        assert "database is locked" in said
        connection.rollback()
    ended(stage(warm, project, "track"), 0)
    with inside(project):
        assert is_tracked(read_params()) and open_registry(read_params().registry).versions() == ()


def test_the_prefect_server_dies_during_a_run_and_comes_back(tmp_path: Path, prefect_home: Path, warm: Path) -> None:
    root, home = build_toy(tmp_path / "toy"), shutil.copytree(prefect_home, tmp_path / "home")
    (root / "left.order").write_text("wait")
    port = free_port(0)
    own = {"PREFECT_API_URL": f"http://{HOST}:{port}/api", "PREFECT_HOME": str(home), "PREFECT_CLIENT_MAX_RETRIES": "0"}
    with serving(prefect_server(home, port), root) as server:
        first = run(warm, root, **own)
        wait_until(lambda: "left" in ran(root), first)
        server.stop(grace_s=0)
        (root / "left.go").touch()
        output, _ = first.communicate(timeout=300)
    assert first.returncode == 1 and "Traceback" not in output.split("has stopped answering")[-1], output
    assert f"the Prefect server {own['PREFECT_API_URL']} has stopped answering; finished stages are kept" in output
    assert "`thaw run` continues from there" in output

    with serving(prefect_server(home, port), root):
        again = run(warm, root, **own)
        output, _ = again.communicate(timeout=300)
    assert again.returncode == 0, output
    assert sorted(ran(root)) == ["first", "last", "left", "right"], "each stage ran once"
