"""Services on this machine: each is started, awaited, logged and stopped with all its processes."""

import os
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from flows.daemon.service_log import Journal, trouble
from flows.prefect_server.running_server import answers
from flows.processes import orphan_guard
from flows.processes.ports import free_port
from flows.processes.termination import end
from flows.project.errors import NoServer, PortTaken

_START_S = 300.0
"""The first start makes databases; a busy machine needs minutes for that."""
_GRACE_S = 20.0
"""Seconds that a service may take to end; a worker needs some seconds to stop its flow runs and to report that."""
_POLL_S = 0.3
_KEPT_LINES = 20


@dataclass(frozen=True)
class Service:
    """A program to start: its command, and an address that answers once the program is ready."""

    name: str
    command: tuple[str, ...]
    address: str = ""
    """The address that a person opens; empty if the service has no pages."""
    probe: str = ""
    """The address that answers when the service is ready; empty: the service is ready once it has started."""
    environment: dict[str, str] = field(default_factory=dict)
    """Variables besides those of this process."""
    shows: Callable[[str], bool] = trouble
    """Whether a line is for people; the log has all lines."""


class Server:
    """A running service in its own process group; its output goes into the journal.

    The service ends with this process, even if this process is killed.
    """

    def __init__(self, service: Service, root: Path, journal: Journal) -> None:
        self.service = service
        self._journal = journal
        self._last: deque[str] = deque(maxlen=_KEPT_LINES)
        self._below: list[psutil.Process] = []
        self._process = subprocess.Popen(
            service.command,
            cwd=root,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **service.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="backslashreplace",
            start_new_session=True,
        )
        orphan_guard.hold(self._process.pid)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def groups(self) -> list[int]:
        """Its own process group, and the groups of flow runs that a worker has left behind."""
        return [self.pid, *(child.pid for child in self._below if child.is_running())]

    def note_children(self) -> None:
        """Note the processes that the service has started, because they outlive a service that dies."""
        with suppress(psutil.Error):
            below = psutil.Process(self.pid).children()
            if self.alive:
                self._below = below

    @property
    def last_words(self) -> str:
        """The last line that it printed."""
        self._listener.join(_POLL_S)
        return self._last[-1] if self._last else "it printed nothing"

    def wait(self, timeout_s: float = _START_S) -> None:
        """Return when the service answers.

        Raises:
            PortTaken: the service ended, because another program listens at its port.
            NoServer: the service ended, or did not answer in time; the message names the log.
        """
        deadline = time.monotonic() + timeout_s
        while self.service.probe and not (answers(self.service.probe) and self._listens()):
            if not self.alive:
                kind = PortTaken if free_port(self._port) != self._port else NoServer
                raise kind(f"{self.service.name} ended at once: {self.last_words} (see {self._journal.path})")
            if time.monotonic() > deadline:
                raise NoServer(f"{self.service.name} did not answer within {timeout_s:g} s; see {self._journal.path}")
            time.sleep(_POLL_S)

    @property
    def _port(self) -> int:
        return urlsplit(self.service.probe).port or 0

    def _listens(self) -> bool:
        """Whether the service itself listens at its port: the server of another project may have taken the port first."""
        with suppress(psutil.Error):
            process = psutil.Process(self.pid)
            return any(
                connection.status == psutil.CONN_LISTEN and connection.laddr.port == self._port
                for member in (process, *process.children(recursive=True))
                for connection in member.net_connections("tcp")
            )
        return False

    def finish(self, timeout_s: float) -> None:
        """Return when a service that runs to its end has ended.

        Raises:
            NoServer: the service failed, or took too long.
        """
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise NoServer(
                f"{self.service.name} did not end within {timeout_s:g} s; see {self._journal.path}"
            ) from None
        finally:
            self.stop()
        if code:
            raise NoServer(f"{self.service.name} failed: {self.last_words} (see {self._journal.path})")

    def stop(self, grace_s: float = _GRACE_S) -> None:
        """End the service and all its processes: a request to stop comes first, a kill after `grace_s`."""
        stop_all([self], grace_s)

    def ended(self) -> None:
        """Note that the service has ended."""
        self._process.wait()
        orphan_guard.release(self.pid)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.strip():
                self._last.append(line.strip())
            self._journal.write(self.service.name, line, for_people=self.service.shows(line))


def stop_all(servers: Sequence[Server], grace_s: float = _GRACE_S) -> None:
    """End services at the same time, each with all its processes."""
    end([group for server in servers for group in server.groups], grace_s)
    for server in servers:
        server.ended()
