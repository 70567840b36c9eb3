"""`thaw up`: all services that schedules need, on this machine alone."""

from typing import Annotated

import typer

_SCHEDULED_S = 300.0


def up(
    settle: Annotated[
        float, typer.Option(min=1, help="Seconds without a change after which new data start a run.")
    ] = 60.0,
    no_follow: Annotated[bool, typer.Option("--no-follow", help="Do not start a run when the data change.")] = False,
) -> None:
    """Serve MLflow, Prefect and the report, and run what prefect.yaml schedules, until Ctrl-C.

    The services are on 127.0.0.1: the servers, a work pool with the deployments of prefect.yaml, a worker
    that runs the deployments, and a watch on the source's folder that starts `transfer` when files have
    changed. A service that dies is started again. Flow runs that Ctrl-C stops continue with the next `thaw up`.
    The whole output is in .thaw/logs/up.log. Servers that MLFLOW_TRACKING_URI and PREFECT_API_URL name
    are used instead of new servers.
    """
    from flows.cli.stopping import ended_by_signals
    from flows.cli.telling import line_printer, until_stopped
    from flows.daemon.up import serve, upkeep
    from flows.prefect_server.deployments import read_deployments
    from flows.prefect_server.workers import follow, schedule, worker
    from flows.project.environment import enter_project

    root = enter_project()
    pools = {deployment.pool for deployment in read_deployments(root)}
    with ended_by_signals(), until_stopped(root), upkeep(root, line_printer()) as (supervisor, journal):
        serve(root, supervisor, journal)
        supervisor.do(schedule(), _SCHEDULED_S)
        supervisor.start([*map(worker, sorted(pools)), *([] if no_follow else [follow(settle)])])
        journal.say("up: schedules, new data, Prefect's pages and `thaw run` start flows. Ctrl-C stops the services")
        supervisor.watch()
