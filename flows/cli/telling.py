"""Showing what services say: a line each, with the service's name in front."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

from flows.cli.terminal import out
from flows.project.errors import AlreadyUp

if TYPE_CHECKING:
    from flows.daemon.service_log import Show

_TIMED = re.compile(r"^\d\d:\d\d:\d\d\.\d+ \| (INFO +\| )?")
"""The time and the level that Prefect puts in front of what it says."""
_COLOURS = ("cyan", "magenta", "blue", "green", "yellow")


def told() -> "Show":
    """Prints lines on standard output as they come, each service in a colour of its own."""
    from rich.text import Text

    from flows.daemon.service_log import OWN, trouble

    free = cycle(_COLOURS)
    colours = {OWN: "bold"}

    def show(service: str, line: str) -> None:
        if service not in colours:
            colours[service] = next(free)
        now = datetime.now().astimezone().strftime("%H:%M:%S")
        said = Text(_TIMED.sub("", line), style="red" if trouble(line) else "bold" if service == OWN else "")
        out().print(Text.assemble((f"{now} ", "dim"), (f"{service:<8} ", colours[service]), said), soft_wrap=True)

    return show


@contextmanager
def until_stopped(root: Path) -> Iterator[None]:
    """Ctrl-C (or SIGTERM, within `ended_by_signals`) is the way to end, and no error; neither is another one that is up."""
    from flows.prefect_server.running_server import running

    try:
        yield
    except KeyboardInterrupt:
        pass
    except AlreadyUp as already:
        out().print(f"{already}:", soft_wrap=True)
        for name, address in running(root).items():
            out().print(f"{name:<8} {address}", soft_wrap=True)
