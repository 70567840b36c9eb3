"""`thaw schedule`: put the deployments and the restart of killed runs on a Prefect server."""

from typing import Annotated

import typer


def schedule(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the deployments that would be put there, and change nothing.")
    ] = False,
) -> None:
    """Put the deployments of prefect.yaml on the Prefect server: work pool, schedules, and what restarts killed runs.

    The server is that of PREFECT_API_URL, or that of `thaw up`; `thaw up` runs this command itself. The command can be
    repeated: it updates deployments that exist already. A worker then runs them: `prefect worker start --pool thaw`.
    """
    from flows.cli.terminal import out
    from flows.prefect_server.deployments import read_deployments
    from flows.prefect_server.running_server import need_prefect_server
    from flows.project.environment import enter_project, quiet_console

    root = enter_project()
    quiet_console()
    deployments = read_deployments(root)
    address = need_prefect_server(root)
    if dry_run:
        for deployment in deployments:
            at = f", at {', '.join(deployment.crons)}" if deployment.crons else ""
            plan = f"would put {deployment.name} ({deployment.entrypoint}{at}) on {address}, pool {deployment.pool}"
            out().print(plan, soft_wrap=True)
        return
    from flows.prefect_server.schedule import put_schedule

    put_schedule(root, deployments, lambda line: out().print(line, soft_wrap=True))
