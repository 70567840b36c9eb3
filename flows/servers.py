"""Servers on this machine's own address: started, waited for, and stopped for good."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from flows.dvc import LOGS
from flows.errors import NoServer
from flows.running_server import answers

HOST = "127.0.0.1"
_START_S = 120.0
_GRACE_S = 10.0
_POLL_S = 0.3


@dataclass(frozen=True)
class Service:
    """A server to start: its command, and the address that shows that it really answers."""

    name: str
    command: tuple[str, ...]
    address: str
    """What a person opens."""
    probe: str
    """What answers when it is ready."""
    environment: dict[str, str] = field(default_factory=dict)
    """Variables besides those of this process."""


def free_port(preferred: int, taken: Sequence[int] = ()) -> int:
    """`preferred` if nothing listens there, else any free port; never one of `taken`."""
    for port in (preferred, 0):
        if port in taken:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            found = int(probe.getsockname()[1])
            if found not in taken:
                return found
    raise NoServer(f"no free port on {HOST}; stop a server and try again")


class Server:
    """A running service, in a process group of its own; what it prints is in `.thaw/logs/NAME.log`."""

    def __init__(self, service: Service, root: Path) -> None:
        self.service = service
        self.log = root / LOGS / f"{service.name}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as file:
            self._process = subprocess.Popen(
                service.command,
                cwd=root,
                env={**os.environ, **service.environment},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def wait(self, timeout_s: float = _START_S) -> None:
        """Return when the service answers.

        Raises:
            NoServer: it ended, or did not answer in time; the message names its log.
        """
        deadline = time.monotonic() + timeout_s
        while not answers(self.service.probe):
            if not self.alive:
                raise NoServer(f"{self.service.name} ended at once: {self._last_line()} (see {self.log})")
            if time.monotonic() > deadline:
                raise NoServer(f"{self.service.name} did not answer within {timeout_s:g} s; see {self.log}")
            time.sleep(_POLL_S)

    def ask_to_stop(self) -> None:
        self._signal(signal.SIGTERM)

    def stop(self, grace_s: float = _GRACE_S) -> None:
        """End it and all that it started: asked first, killed after `grace_s`."""
        self.ask_to_stop()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(grace_s)
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _last_line(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


@contextmanager
def serving(services: Sequence[Service], root: Path) -> Iterator[tuple[Server, ...]]:
    """Start all services at once; on leaving, for whatever reason, stop them all."""
    servers: list[Server] = []
    try:
        for service in services:
            servers.append(Server(service, root))
        yield tuple(servers)
    finally:
        for server in servers:
            server.ask_to_stop()
        for server in servers:
            server.stop()
