"""The Prefect server of one command: the user's, that of `thaw up`, or a temporary one that starts at once and ends with this process.

Prefect would start a temporary server by itself, but only when the first flow begins, and it would load the server's own code into this process too. Here the
server starts while this process still looks at the data and loads the flow.
"""

import atexit
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from flows.dvc.reproduce import LOGS
from flows.prefect_server.running_server import answers, use_running_server
from flows.processes import orphan_guard
from flows.processes.ports import HOST, free_port
from flows.processes.termination import end
from flows.project.errors import NoServer

LOG = LOGS / "prefect.log"
_PROGRAM = "flows.prefect_server.temporary_program"
_START_S = 300.0
"""The first start makes a data base; a busy machine needs minutes for that."""
_GRACE_S = 5.0
_POLL_S = 0.1


def begin(root: Path) -> Callable[[], None]:
    """Set `PREFECT_API_URL` to the server, before Prefect is imported; returns a function that waits until the server answers.

    That function raises NoServer if the temporary server ends or does not answer in time; the message names its log.

    Raises:
        NoServer: see `use_running_server`.
    """
    use_running_server(root)
    if os.environ.get("PREFECT_API_URL"):
        return _nothing
    port = free_port(0)
    command = [sys.executable, "-m", _PROGRAM, str(port)]
    (root / LOGS).mkdir(parents=True, exist_ok=True)
    with (root / LOG).open("w") as log:
        process = subprocess.Popen(
            command, cwd=root, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    orphan_guard.hold(process.pid)
    # Prefect sends its last lines when Python ends. This was registered earlier, so it is called later.
    atexit.register(_stop, process)
    os.environ["PREFECT_API_URL"] = f"http://{HOST}:{port}/api"
    return lambda: _wait(process, port)


def _nothing() -> None:
    """The server is up already."""


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + _START_S
    while not answers(f"http://{HOST}:{port}/api/health"):
        if process.poll() is not None:
            raise NoServer(f"the temporary Prefect server ended with {process.returncode}; see {LOG}")
        if time.monotonic() > deadline:
            raise NoServer(
                f"the temporary Prefect server did not answer within {_START_S:g} s; see {LOG}, or start `thaw up` first"
            )
        time.sleep(_POLL_S)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    end([process.pid], _GRACE_S)
    process.wait()
    orphan_guard.release(process.pid)
