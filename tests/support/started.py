"""Real servers for tests, on loopback."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.daemon.service_log import Journal
from flows.daemon.services import Server, Service
from flows.processes.ports import HOST
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


ON_TIME = ("SCHEDULER", "LATE_RUNS", "FOREMAN", "CANCELLATION_CLEANUP", "PAUSE_EXPIRATIONS", "REPOSSESSOR", "TRIGGERS")
"""Prefect's services for what is to happen some time, without anybody's asking."""


def prefect_server(home: Path, port: int, *, on_time: bool = True) -> Service:
    """With its data base in `home`. on_time: whether it looks every few seconds for what is due."""
    address = f"http://{HOST}:{port}"
    command = (sys.executable, "-m", "prefect", "server", "start", "--host", HOST, "--port", str(port))
    own = {"PREFECT_HOME": str(home)} | {f"PREFECT_SERVER_SERVICES_{name}_ENABLED": str(on_time) for name in ON_TIME}
    return Service("prefect", command, address, f"{address}/api/health", own)


class Pausing:
    """A server that is stopped while no test needs it: one with nothing to do takes a tenth of a processor."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def go_on(self, needed: bool) -> None:
        """Let it run, or halt it where it stands."""
        os.kill(self._server.pid, signal.SIGCONT if needed else signal.SIGSTOP)


def make_prefect_home(home: Path) -> None:
    """Prefect's data base with all its tables and no content, in `home`."""
    database = f"sqlite+aiosqlite:///{home}/prefect.db"
    command = (sys.executable, "-m", "prefect", "server", "database", "upgrade", "--yes")
    own = {"PREFECT_HOME": str(home), "PREFECT_SERVER_DATABASE_CONNECTION_URL": database, "PREFECT_API_URL": ""}
    subprocess.run(command, env=os.environ | own, check=True, capture_output=True)


def lay_prefect_home(made: Path, root: Path) -> None:
    """Copy what `make_prefect_home` made to where the project at `root` has Prefect's state."""
    shutil.copytree(made, root / STATE / "prefect", dirs_exist_ok=True)
