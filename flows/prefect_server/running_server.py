"""The servers that a command uses: the user's, those of `thaw up`, or (Prefect alone) a temporary one."""

import json
import os
import sys
import urllib.request
from http.client import HTTPException
from pathlib import Path

from flows.dvc.run_lock import is_up
from flows.project.environment import STATE
from flows.project.errors import NoServer
from thaw.foundation.files.atomic import write_text

ADDRESSES = STATE / "servers.json"
"""The file with the addresses of a running `thaw up` or `thaw ui`."""
_PROBE_S = 5.0


def use_running_server(root: Path) -> None:
    """Set `PREFECT_API_URL` and `MLFLOW_TRACKING_URI` to the servers of a running `thaw up`, unless the user has set them.

    With a running Prefect server a flow starts about 10 s sooner than with a temporary server, and the pages show the flow.
    The MLflow server has the project's own store, so a command without the server reads and writes the same store.

    Raises:
        NoServer: the user has set `PREFECT_API_URL`, and no server answers there.
    """
    if configured := os.environ.get("PREFECT_API_URL", ""):
        if not answers(f"{configured}/health"):
            raise NoServer(
                f"no Prefect server answers at {configured} (PREFECT_API_URL); start it, or unset "
                "PREFECT_API_URL to run with a temporary one"
            )
    elif (prefect := running(root).get("prefect")) and answers(f"{prefect}/api/health"):
        os.environ["PREFECT_API_URL"] = f"{prefect}/api"
    mlflow = running(root).get("mlflow")
    if mlflow and not os.environ.get("MLFLOW_TRACKING_URI") and answers(f"{mlflow}/health"):
        os.environ["MLFLOW_TRACKING_URI"] = mlflow


def lost_server_message(error: BaseException) -> str | None:
    """A message if a Prefect server stopped answering in the middle of a run; None for any other error."""
    httpx = sys.modules.get("httpx")  # a process without httpx has called no server
    if httpx is None or not isinstance(error, httpx.TransportError):
        return None
    where = os.environ.get("PREFECT_API_URL", "of this run")
    return f"the Prefect server {where} has stopped answering; finished stages are kept: start the server, and `thaw run` continues from there"


def need_prefect_server(root: Path) -> str:
    """Set `PREFECT_API_URL` as `use_running_server` does, and return it.

    Raises:
        NoServer: there is only a temporary Prefect server; a temporary server would lose the settings.
    """
    use_running_server(root)
    if not (address := os.environ.get("PREFECT_API_URL", "")):
        raise NoServer("no Prefect server is up; start `thaw up` (or set PREFECT_API_URL to your own server)")
    return address


def running(root: Path) -> dict[str, str]:
    """The addresses of the servers of a living `thaw up` or `thaw ui`, by name."""
    # The file of a killed `thaw up` may name ports that other programs use by now.
    if not is_up(root):
        return {}
    try:
        addresses = json.loads((root / ADDRESSES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(address) for name, address in addresses.items()} if isinstance(addresses, dict) else {}


def write_addresses(root: Path, addresses: dict[str, str]) -> None:
    """Write the addresses to the file where later commands look for the servers."""
    write_text(root / ADDRESSES, json.dumps(addresses))


def answers(address: str) -> bool:
    """Whether an HTTP address answers with success within some seconds."""
    if not address.startswith(("http://", "https://")):
        return False
    try:
        with urllib.request.urlopen(address, timeout=_PROBE_S) as answer:  # noqa: S310  # checked above
            return bool(answer.status < 400)
    except (OSError, HTTPException):  # no server, or no web server
        return False
