"""The common part of `thaw up` and `thaw ui`: a lock, the log, and servers that end with the command."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.daemon.service_log import Journal, Show
from flows.daemon.supervisor import Supervisor
from flows.daemon.web_pages import elsewhere, services
from flows.dvc.run_lock import up_lock
from flows.prefect_server.running_server import ADDRESSES, write_addresses
from flows.project.errors import PortTaken

_CHOICES_OF_PORTS = 3


@contextmanager
def upkeep(root: Path, show: Show) -> Iterator[tuple[Supervisor, Journal]]:
    """A context with the project's only supervisor and its journal; the end of the context stops all services.

    Raises:
        AlreadyUp: another `thaw up` or `thaw ui` of the project runs.
    """
    with up_lock(root), Journal(root, show) as journal:
        supervisor = Supervisor(root, journal)
        try:
            yield supervisor, journal
        finally:
            (root / ADDRESSES).unlink(missing_ok=True)
            journal.say("stopping")
            supervisor.stop()
            journal.say("everything is stopped")


def serve(root: Path, supervisor: Supervisor, journal: Journal) -> None:
    """Start MLflow, Prefect and the report, and publish their addresses to this process and to later commands.

    Raises:
        NoServer: a server does not start.
    """
    for name, address in elsewhere().items():
        journal.say(f"{name} is your own server: {address}")
    _start(root, supervisor, journal)
    addresses = {server.service.name: server.service.address for server in supervisor.servers}
    write_addresses(root, addresses)
    if "prefect" in addresses:
        os.environ["PREFECT_API_URL"] = f"{addresses['prefect']}/api"
    if "mlflow" in addresses:
        os.environ["MLFLOW_TRACKING_URI"] = addresses["mlflow"]


def _start(root: Path, supervisor: Supervisor, journal: Journal) -> None:
    """Start the services, and choose other ports if another program takes one between the choice and the start."""
    for _ in range(_CHOICES_OF_PORTS - 1):
        try:
            supervisor.start(services(root))
        except PortTaken as error:
            journal.say(f"{error}; another program has taken its port, so all start again at other ports")
            supervisor.stop()
        else:
            return
    supervisor.start(services(root))
