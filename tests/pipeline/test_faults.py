"""What breaks under a run, on real servers, files and data bases: one plain line, nothing lost, nothing doubled."""

import os
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from registration import build_project, inside, make_empty_store
from toy import build_toy, environment, ran

from flows.running_server import answers
from flows.servers import HOST, Server, Service, free_port
from tasks.paths import FEATURES, FEATURES_INDEX, REGISTERED
from tasks.registry import open_registry
from thaw.params import read_params

pytestmark = pytest.mark.slow

MAY_PASS = 75


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that is ready to be registered, with a store that holds nothing."""
    return make_empty_store(build_project(tmp_path_factory.mktemp("template")))


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "project"))


def stage(root: Path, name: str, **own: str) -> "subprocess.Popen[str]":
    """Start a stage as DVC does."""
    return subprocess.Popen(
        [sys.executable, "-m", f"tasks.{name}"], cwd=root, env=_environment() | own, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def _environment() -> dict[str, str]:
    return environment() | {"PYTHONPATH": str(Path.cwd()), "MLFLOW_TRACKING_URI": "", "PREFECT_API_URL": "", "COLUMNS": "200"}


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


@contextmanager
def mlflow_server(root: Path, port: int) -> Iterator[Server]:
    address = f"http://{HOST}:{port}"
    command = (
        *(sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"),
        *("--backend-store-uri", f"sqlite:///{root}/.thaw/mlflow.db"),
        *("--artifacts-destination", str(root / ".thaw/mlartifacts")),
    )
    server = Server(Service("mlflow", command, address, f"{address}/health"), root)
    try:
        server.wait()
        yield server
    finally:
        server.stop(grace_s=1)


def test_the_mlflow_server_dies_during_register_and_comes_back(project: Path) -> None:
    port = free_port(0)
    own = {"MLFLOW_TRACKING_URI": f"http://{HOST}:{port}", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
    with mlflow_server(project, port) as server:
        register = stage(project, "register", **own)
        wait_until(lambda: runs(project / ".thaw/mlflow.db"), register)
        server.stop(grace_s=0)
        said = ended(register, MAY_PASS)
    assert said == f"MLflow at {own['MLFLOW_TRACKING_URI']} did not answer; is it running?"
    assert not (project / REGISTERED).exists()

    with mlflow_server(project, port):
        said = ended(stage(project, "register", **own), 0)
        assert "registered models:/photos/1" in said
    assert runs(project / ".thaw/mlflow.db") == 1, "the run that was cut off is deleted"


def test_a_locked_data_base_is_worth_another_try(project: Path) -> None:
    with closing(sqlite3.connect(project / ".thaw/mlflow.db")) as connection:
        connection.execute("begin exclusive")
        said = ended(stage(project, "register"), MAY_PASS)
        assert "database is locked" in said
        connection.rollback()
    ended(stage(project, "register"), 0)
    with inside(project):
        assert [one.number for one in open_registry(read_params().registry).versions()] == [1]


def test_a_full_disk_is_one_line_and_the_next_run_goes_on(project: Path, tmp_path: Path) -> None:
    """A file size limit stands for the full disk: the same failing write, for whoever is not root as well."""
    shutil.rmtree(project / FEATURES)
    (project / FEATURES_INDEX).unlink()
    shutil.rmtree(project / ".thaw")
    text = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(f"{text}extract: {{part_rows: 16, workers: 1, batch_size: 16}}\n")
    # Some small parts fit, one of them does not: as when the disk fills up in the middle.
    limited = (
        "import resource, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000)); "
        "runpy.run_module('tasks.extract', run_name='__main__')"
    )
    failing = subprocess.Popen(
        [sys.executable, "-c", limited], cwd=project, env=_environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    said = ended(failing, 1)
    assert "cannot be written or read: File too large" in said and "data/features" in said
    assert not list(project.rglob(".tmp-*")), "no half-written file is left"
    assert not (project / FEATURES_INDEX).exists()
    ended(stage(project, "extract"), 0)
    assert (project / FEATURES_INDEX).exists()
