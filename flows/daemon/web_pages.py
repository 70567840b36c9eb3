"""The pages that `thaw up` and `thaw ui` serve, and the commands that serve them."""

import os
import sys
from pathlib import Path

from flows.daemon.services import Service
from flows.processes.ports import HOST, free_port
from flows.project.environment import STATE
from flows.runs.results import REPORT_PAGE

_MLFLOW_PORT = 5000
_PREFECT_PORT = 4200
_REPORT_PORT = 8000


def elsewhere() -> dict[str, str]:
    """The addresses of the pages of servers that the user runs already, by name."""
    mlflow, prefect = os.environ.get("MLFLOW_TRACKING_URI", ""), os.environ.get("PREFECT_API_URL", "")
    addresses = {"mlflow": mlflow, "prefect": prefect.removesuffix("/").removesuffix("/api")}
    return {name: address for name, address in addresses.items() if address.startswith(("http://", "https://"))}


def services(root: Path) -> tuple[Service, ...]:
    """The services to start: the pages of MLflow and Prefect and the report, without the servers that run elsewhere."""
    reserved: list[int] = []
    ports: list[int] = []
    for preferred in (_MLFLOW_PORT, _PREFECT_PORT, _REPORT_PORT):
        ports.append(free_port(preferred, reserved))
        reserved.append(ports[-1])
    mlflow, prefect, report = ports
    all_services = (_mlflow(root, mlflow), _prefect(prefect), _report(root, report))
    return tuple(service for service in all_services if service.name not in elsewhere())


def _mlflow(root: Path, port: int) -> Service:
    address = f"http://{HOST}:{port}"
    store = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{root / STATE / 'mlflow.db'}"
    command = (
        *(sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"),
        *("--backend-store-uri", store, "--default-artifact-root", (root / STATE / "mlartifacts").as_uri()),
    )
    # MLflow's job runner serves features that Thaw does not use, and takes eight processes.
    environment = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    return Service("mlflow", command, address, f"{address}/health", environment)


def _prefect(port: int) -> Service:
    address = f"http://{HOST}:{port}"
    command = (sys.executable, "-m", "prefect", "server", "start", "--host", HOST, "--port", str(port))
    # Prefect's pages must call the server that serves them, whatever a profile sets.
    environment = {"PREFECT_API_URL": f"{address}/api", "PREFECT_UI_API_URL": f"{address}/api"}
    return Service("prefect", command, address, f"{address}/api/health", environment)


def _report(root: Path, port: int) -> Service:
    address = f"http://{HOST}:{port}"
    folder = root / REPORT_PAGE.parent
    folder.mkdir(parents=True, exist_ok=True)
    command = (
        *(sys.executable, "-m", "http.server", "--bind", HOST),
        *("--directory", str(folder), str(port)),
    )
    return Service("report", command, f"{address}/{REPORT_PAGE.name}", f"{address}/")
