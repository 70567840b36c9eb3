"""The supervisor of services: it starts them in order, restarts a service that dies, and stops all together."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flows.daemon.service_log import Journal
from flows.daemon.services import Server, Service, stop_all
from flows.project.errors import NoServer

_POLL_S = 1.0


@dataclass
class Restarts:
    """The limit on restarts of one service: `most` times within `within_s` seconds of a monotonic clock."""

    most: int = 5
    within_s: float = 600.0
    _times: list[float] = field(default_factory=list)

    def allows(self, clock: float) -> bool:
        """Whether the service may be restarted at this time; an allowed restart is counted."""
        self._times = [moment for moment in self._times if clock - moment < self.within_s]
        if len(self._times) >= self.most:
            return False
        self._times.append(clock)
        return True

    @property
    def pause_s(self) -> float:
        """Seconds to wait before the restart; the wait doubles each time."""
        return float(2 ** (len(self._times) - 1)) if self._times else 0.0

    def __str__(self) -> str:
        return f"{len(self._times)} of {self.most} within {self.within_s / 60:g} min"


class Supervisor:
    """The services of one `thaw up`; `stop` ends the servers last, because the other services need them."""

    def __init__(self, root: Path, journal: Journal, restarts: Callable[[], Restarts] = Restarts) -> None:
        self._root = root
        self._journal = journal
        self._servers: list[Server] = []
        self._restarts = defaultdict[str, Restarts](restarts)

    @property
    def servers(self) -> tuple[Server, ...]:
        return tuple(self._servers)

    def start(self, services: Sequence[Service]) -> None:
        """Start services at once, and wait until all of them answer.

        Raises:
            NoServer: a service does not answer; the others continue until `stop`.
        """
        started = [Server(service, self._root, self._journal) for service in services]
        self._servers.extend(started)
        for server in started:
            server.wait()
            if server.service.address:
                self._journal.say(f"{server.service.name} is up: {server.service.address}")

    def do(self, service: Service, timeout_s: float) -> None:
        """Run a service to its end.

        Raises:
            NoServer: the service failed, or took too long.
        """
        Server(service, self._root, self._journal).finish(timeout_s)

    def watch(self) -> None:
        """Keep all services up; never returns.

        Raises:
            NoServer: a service dies more often than `Restarts` allows.
        """
        while True:
            for index, server in enumerate(self._servers):
                if server.alive:
                    server.note_children()
                else:
                    self._servers[index] = self._again(server)
            time.sleep(_POLL_S)

    def stop(self) -> None:
        """End the users of the servers first, because a stopped flow run reports to Prefect; then end the servers."""
        users = [server for server in self._servers if not server.service.address]
        stop_all(users)
        stop_all([server for server in self._servers if server.service.address])
        self._servers.clear()

    def _again(self, dead: Server) -> Server:
        name = dead.service.name
        restarts = self._restarts[name]
        happened = f"{name} ended by itself ({dead.last_words})"
        if not restarts.allows(time.monotonic()):
            raise NoServer(
                f"{happened}, and did so {restarts}; correct that, then start again. Log: {self._journal.path}"
            )
        self._journal.say(f"{happened}; starting it again in {restarts.pause_s:g} s ({restarts})")
        dead.stop()  # ends the processes that it left behind
        time.sleep(restarts.pause_s)
        server = Server(dead.service, self._root, self._journal)
        self._journal.say(f"{name} was started again")
        return server
