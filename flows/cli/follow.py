"""`thaw follow`: new data start a run."""

from typing import Annotated

import typer


def follow(
    settle: Annotated[
        float, typer.Option(min=1, help="Seconds without a change after which new data start a run.")
    ] = 60.0,
) -> None:
    """Start the deployment `transfer` when the source's files have changed and then come to rest, until Ctrl-C.

    The command looks at names, sizes and times every few seconds and opens no file. Each state of the source starts one
    run, also after a kill or a restart; a state that a run has seen already starts none. `thaw up` includes this
    command. Alone it needs a Prefect server that has the deployments (`thaw schedule`).
    """
    from flows.cli.stopping import ended_by_signals
    from flows.cli.telling import until_stopped
    from flows.cli.terminal import out
    from flows.daemon.source_follower import Follower
    from flows.prefect_server.running_server import need_prefect_server
    from flows.prefect_server.start_run import start_transfer
    from flows.project.environment import enter_project, quiet_console

    root = enter_project()
    quiet_console()
    need_prefect_server(root)
    follower = Follower(root, start_transfer, lambda line: out().print(line, soft_wrap=True), settle_s=settle)
    with ended_by_signals(), until_stopped(root):
        follower.follow()
