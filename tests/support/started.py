"""Real servers for tests, on loopback."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.daemon.service_log import Journal
from flows.daemon.services import HOST, Server, Service
from flows.project.environment import STATE


@contextmanager
def serving(service: Service, root: Path) -> Iterator[Server]:
    """A server that is up; nothing is left of it afterwards."""
    with Journal(root) as journal:
        server = Server(service, root, journal)
        try:
            server.wait()
            yield server
        finally:
            server.stop(grace_s=1)


def mlflow_server(folder: Path, port: int) -> Service:
    """On `mlflow.db` and `mlartifacts` in a folder."""
    address = f"http://{HOST}:{port}"
    command = (
        *(sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"),
        *("--backend-store-uri", f"sqlite:///{folder}/mlflow.db"),
        *("--artifacts-destination", str(folder / "mlartifacts")),
    )
    # Its job runner takes eight processes.
    return Service("mlflow", command, address, f"{address}/health", {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"})


def prefect_server(home: Path, port: int) -> Service:
    """With its data base in `home`."""
    address = f"http://{HOST}:{port}"
    command = (sys.executable, "-m", "prefect", "server", "start", "--host", HOST, "--port", str(port))
    return Service("prefect", command, address, f"{address}/api/health", {"PREFECT_HOME": str(home)})


def make_prefect_home(home: Path) -> None:
    """Prefect's data base with all its tables and no content, in `home`."""
    database = f"sqlite+aiosqlite:///{home}/prefect.db"
    command = (sys.executable, "-m", "prefect", "server", "database", "upgrade", "--yes")
    own = {"PREFECT_HOME": str(home), "PREFECT_SERVER_DATABASE_CONNECTION_URL": database, "PREFECT_API_URL": ""}
    subprocess.run(command, env=os.environ | own, check=True, capture_output=True)


def lay_prefect_home(made: Path, root: Path) -> None:
    """Copy what `make_prefect_home` made to where the project at `root` has Prefect's state."""
    shutil.copytree(made, root / STATE / "prefect", dirs_exist_ok=True)
