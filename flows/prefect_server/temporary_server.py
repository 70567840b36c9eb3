"""The server that Prefect starts for a flow run if no server is configured; it must not outlive this process."""

from contextlib import suppress

import psutil

from flows.processes import orphan_guard

_MARK = "prefect.server.api.server"


def hold_temporary_server() -> None:
    """Let the temporary server end with this process even after a kill; Prefect itself ends it only after a regular exit."""
    for child in psutil.Process().children():
        with suppress(psutil.Error):
            if any(_MARK in part for part in child.cmdline()):
                orphan_guard.hold(child.pid)
