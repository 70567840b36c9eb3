"""`thaw run`: the pipeline, as the flow `transfer`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from flows.transfer import Transfer


def run(
    stage: Annotated[str | None, typer.Option(help="Only this stage, such as `head`.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Run even what is up to date.")] = False,
    no_promote: Annotated[bool, typer.Option("--no-promote", help="Leave the champion as it is.")] = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="If another run is going on, end at once instead of waiting.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=1, help="Seconds after which a stage is stopped.", show_default=True)
    ] = 21600,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Bring everything up to date: the stages that must run, then the promotion."""
    from flows.checks import preflight
    from flows.cli.terminal import print_json
    from flows.cli.watching import Printed, say_wait
    from flows.environment import enter_project, quiet_console, use_running_server
    from flows.lock import run_lock
    from flows.progress import watcher

    root = enter_project()
    printed = Printed()
    with run_lock(root, wait=not no_wait, on_wait=say_wait):
        preflight(root)
        quiet_console()
        use_running_server(root)
        watcher.set(printed)
        with printed:
            done = _transfer(printed, stage=stage, force=force, promote=not no_promote, timeout_s=timeout)
    if json:
        print_json(_as_json(root, done))
    else:
        _summarise(root, done)


def _transfer(printed: object, *, stage: str | None, force: bool, promote: bool, timeout_s: float) -> "Transfer":
    from flows.transfer import transfer

    return transfer(stage=stage, force=force, promote=promote, timeout_s=timeout_s)
