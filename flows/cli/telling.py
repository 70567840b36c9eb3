"""The output of the services on the terminal, line by line, with the service's name in front."""

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
"""The time and the level in front of Prefect's messages."""
_COLOURS = ("cyan", "magenta", "blue", "green", "yellow")


def line_printer() -> "Show":
    """A function that prints lines on standard output as they arrive, each service in its own colour."""
    from rich.text import Text

    from flows.daemon.service_log import OWN, trouble

    free = cycle(_COLOURS)
    colours = {OWN: "bold"}

    def show(service: str, line: str) -> None:
        if service not in colours:
            colours[service] = next(free)
        clock = datetime.now().astimezone().strftime("%H:%M:%S")
        message = Text(_TIMED.sub("", line), style="red" if trouble(line) else "bold" if service == OWN else "")
        out().print(Text.assemble((f"{clock} ", "dim"), (f"{service:<8} ", colours[service]), message), soft_wrap=True)

    return show


@contextmanager
def until_stopped(root: Path) -> Iterator[None]:
    """A context that ends without an error on Ctrl-C (on SIGTERM too, within `ended_by_signals`).

    If another `thaw up` runs already, the context prints the addresses of its services, and ends without an error too.
    """
    from flows.prefect_server.running_server import running

    try:
        yield
    except KeyboardInterrupt:
        pass
    except AlreadyUp as already:
        out().print(f"{already}:", soft_wrap=True)
        for name, address in running(root).items():
            out().print(f"{name:<8} {address}", soft_wrap=True)
