"""The stages that a command reads from, brought up to date before it reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.cli.terminal import say_warnings
from flows.cli.watching import Printed, say_wait
from flows.dvc.run_lock import run_lock
from flows.prefect_server.run_server import begin
from flows.project.environment import quiet_console
from flows.runs.preflight import preflight
from flows.runs.watcher import watcher


@contextmanager
def refreshed(root: Path, until: str, timeout_s: float, *, force: bool = False) -> Iterator[None]:
    """A context in which the stage `until`, and all stages that it needs, are up to date, and no other run changes them; force: `until` runs in any case.

    The stages run as the flow `transfer` in this process, told of on the terminal.

    Raises:
        StageFailed: a stage failed, or took longer than `timeout_s` seconds.
    """
    with run_lock(root, on_wait=say_wait):
        ready = begin(root)
        say_warnings(preflight(root, whole=False).warnings)
        quiet_console()
        with Printed() as printed:
            watcher.set(printed)
            from flows.runs.transfer import transfer

            ready()
            transfer(until=until, timeout_s=timeout_s)
            if force:
                transfer(stage=until, force=True, timeout_s=timeout_s)
        yield
