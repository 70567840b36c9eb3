"""The Prefect server that a run uses: the user's, the one of `thaw ui`, or a temporary one."""

import json
import os
import urllib.request
from pathlib import Path

from flows.environment import STATE
from flows.errors import NoServer
from thaw.files import write_text

ADDRESSES = STATE / "ui.json"
"""What `thaw ui` serves where, while it runs."""
_PROBE_S = 5.0


def use_running_server(root: Path) -> None:
    """Set `PREFECT_API_URL` to the server of a running `thaw ui`, where the user has set none.

    With a running server a flow starts about 10 s sooner than with a temporary one.

    Raises:
        NoServer: the user has set `PREFECT_API_URL`, and nothing answers there.
    """
    wanted = os.environ.get("PREFECT_API_URL", "")
    if wanted:
        if not answers(f"{wanted}/health"):
            raise NoServer(
                f"no Prefect server answers at {wanted} (PREFECT_API_URL); start it, or unset "
                "PREFECT_API_URL to run with a temporary one"
            )
        return
    try:
        address = json.loads((root / ADDRESSES).read_text(encoding="utf-8"))["prefect"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if answers(f"{address}/api/health"):
        os.environ["PREFECT_API_URL"] = f"{address}/api"


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
    except OSError:
        return False
