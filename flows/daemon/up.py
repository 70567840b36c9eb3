"""What `thaw up` and `thaw ui` have in common: being the only one, the log, and servers that end with it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.daemon.service_log import Journal, Show
from flows.daemon.supervisor import Supervisor
from flows.daemon.web_pages import elsewhere, services
from flows.dvc.run_lock import up_lock
from flows.prefect_server.running_server import ADDRESSES, write_addresses


@contextmanager
def upkeep(root: Path, show: Show) -> Iterator[tuple[Supervisor, Journal]]:
    """Be the one that keeps the project's services up; on leaving, for whatever reason, all are stopped.

    Raises:
        AlreadyUp: there is another one.
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
    """Start MLflow, Prefect and the report, and let this process and later commands find them.

    Raises:
        NoServer: one of them does not start.
    """
    for name, address in elsewhere().items():
        journal.say(f"{name} is a server of your own: {address}")
    supervisor.start(services(root))
    addresses = {server.service.name: server.service.address for server in supervisor.servers}
    write_addresses(root, addresses)
    if "prefect" in addresses:
        os.environ["PREFECT_API_URL"] = f"{addresses['prefect']}/api"
    if "mlflow" in addresses:
        os.environ["MLFLOW_TRACKING_URI"] = addresses["mlflow"]
