"""`thaw ui`: MLflow's pages, Prefect's pages and the report, on this machine alone."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flows.servers import Server


def ui() -> None:
    """Serve MLflow, Prefect and the report on 127.0.0.1 until Ctrl-C.

    The usual ports are 5000, 4200 and 8000; where one is taken, another is used. Servers that
    MLFLOW_TRACKING_URI and PREFECT_API_URL name are not started, only pointed to.
    """
    from flows.cli.stopping import ended_by_signals
    from flows.cli.terminal import err, out
    from flows.environment import enter_project
    from flows.pages import elsewhere, services
    from flows.running_server import ADDRESSES, write_addresses
    from flows.servers import serving

    root = enter_project()
    for name, address in elsewhere().items():
        out().print(f"{name:<8} {address} (a server of your own)", soft_wrap=True)
    with ended_by_signals(), serving(services(root), root) as servers:
        try:
            with err().status("starting the servers"):
                for server in servers:
                    server.wait()
                    out().print(f"{server.service.name:<8} {server.service.address}", soft_wrap=True)
            write_addresses(root, {server.service.name: server.service.address for server in servers})
            out().print("Ctrl-C stops them.", style="dim")
            _watch(servers)
        except KeyboardInterrupt:
            err().print("stopping the servers")
        finally:
            (root / ADDRESSES).unlink(missing_ok=True)


def _watch(servers: "tuple[Server, ...]") -> None:
    """Sleep until a signal, or until a server ends by itself.

    Raises:
        NoServer: one did.
    """
    import time

    from flows.errors import NoServer

    while True:
        for server in servers:
            if not server.alive:
                raise NoServer(f"{server.service.name} ended by itself; see {server.log}")
        time.sleep(0.5)
