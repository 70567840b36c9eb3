"""The server that Prefect starts for a flow run where none is named: it must not outlive this process."""

from contextlib import suppress

import psutil

from flows.processes import orphan_guard

_MARK = "prefect.server.api.server"


def hold_temporary_server() -> None:
    """From now on it ends with this process, also where that is killed: Prefect itself ends it only where this process ends well."""
    for child in psutil.Process().children():
        with suppress(psutil.Error):
            if any(_MARK in part for part in child.cmdline()):
                orphan_guard.hold(child.pid)
