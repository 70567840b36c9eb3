"""The server of a flow run: the temporary one must not outlive this process, and either is told of a run that Ctrl-C ends."""

import threading
from contextlib import suppress

import psutil
from prefect import runtime
from prefect.client.orchestration import get_client
from prefect.states import Cancelled

from flows.processes import orphan_guard
from flows.processes.interruption import on_interruption

_MARK = "prefect.server.api.server"
_TELLING_S = 0.8
"""Seconds for the news of an interruption; a server that does not answer is left alone."""
_begun: list[str] = []
"""The first flow run of this process; others are its parts."""


def hold_temporary_server() -> None:
    """Let the temporary server end with this process even after a kill; Prefect itself ends it only after a regular exit.

    The server hears of Ctrl-C: the run is cancelled then.
    """
    for child in psutil.Process().children():
        with suppress(psutil.Error):
            if any(_MARK in part for part in child.cmdline()):
                orphan_guard.hold(child.pid)
    if not _begun and (identity := runtime.flow_run.id):
        _begun.append(str(identity))
        on_interruption(_tell)


def _tell() -> None:
    telling = threading.Thread(target=_cancel, daemon=True)
    telling.start()
    telling.join(_TELLING_S)


def _cancel() -> None:
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(_begun[0], Cancelled(message="Ctrl-C ended it; finished stages are kept"), force=True)
