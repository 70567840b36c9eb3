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
"""What `thaw up` and `thaw ui` serve where, while they run."""
_PROBE_S = 5.0


def use_running_server(root: Path) -> None:
    """Set `PREFECT_API_URL` and `MLFLOW_TRACKING_URI` to the servers of a running `thaw up`, where the user has set none.

    With a running Prefect server a flow starts about 10 s sooner than with a temporary one, and its pages show it. The MLflow
    server has the project's own store, so whoever does without it reads and writes the same.

    Raises:
        NoServer: the user has set `PREFECT_API_URL`, and nothing answers there.
    """
    if wanted := os.environ.get("PREFECT_API_URL", ""):
        if not answers(f"{wanted}/health"):
            raise NoServer(
                f"no Prefect server answers at {wanted} (PREFECT_API_URL); start it, or unset "
                "PREFECT_API_URL to run with a temporary one"
            )
    elif (prefect := running(root).get("prefect")) and answers(f"{prefect}/api/health"):
        os.environ["PREFECT_API_URL"] = f"{prefect}/api"
    mlflow = running(root).get("mlflow")
    if mlflow and not os.environ.get("MLFLOW_TRACKING_URI") and answers(f"{mlflow}/health"):
        os.environ["MLFLOW_TRACKING_URI"] = mlflow


def has_gone(error: BaseException) -> str | None:
    """One line for a Prefect server that stopped answering in the middle of a run; None for any other error."""
    httpx = sys.modules.get("httpx")  # whoever has not loaded it has asked no server
    if httpx is None or not isinstance(error, httpx.TransportError):
        return None
    where = os.environ.get("PREFECT_API_URL", "of this run")
    return f"the Prefect server {where} has stopped answering; what is done stays done: start it, and `thaw run` goes on from there"


def need_prefect_server(root: Path) -> str:
    """Set `PREFECT_API_URL` as `use_running_server` does, and return it.

    Raises:
        NoServer: there is no Prefect server but a temporary one, which would forget what it is told.
    """
    use_running_server(root)
    if not (address := os.environ.get("PREFECT_API_URL", "")):
        raise NoServer("no Prefect server is up; start `thaw up` (or set PREFECT_API_URL to a server of yours)")
    return address


def running(root: Path) -> dict[str, str]:
    """The addresses of the servers of a living `thaw up` or `thaw ui`, by name."""
    # What a killed one has left may name ports that belong to others by now.
    if not is_up(root):
        return {}
    try:
        found = json.loads((root / ADDRESSES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(address) for name, address in found.items()} if isinstance(found, dict) else {}


def write_addresses(root: Path, addresses: dict[str, str]) -> None:
    """Let later commands find the servers."""
    write_text(root / ADDRESSES, json.dumps(addresses))


def answers(address: str) -> bool:
    """Whether an HTTP address answers with success within some seconds."""
    if not address.startswith(("http://", "https://")):
        return False
    try:
        with urllib.request.urlopen(address, timeout=_PROBE_S) as answer:  # noqa: S310  # checked above
            return bool(answer.status < 400)
    except (OSError, HTTPException):  # nobody, or no web server
        return False
