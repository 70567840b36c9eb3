"""The progress of a stage: a bar on a terminal, elsewhere a line in the log for each tenth."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from thaw.foundation.parallel.progress import Progress

log = logging.getLogger(__name__)


@contextmanager
def counted(stage: str, unit: str) -> Iterator[Progress]:
    """Yield a callback that shows the number of finished `unit` ("examples") of a stage.

    On a terminal it draws a bar on stderr; elsewhere it logs a line after each tenth.
    """
    if not sys.stderr.isatty():
        yield Tenths(stage, unit)
        return
    from rich import progress as rich
    from rich.console import Console

    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TextColumn(unit),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(stage, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class Tenths:
    """A callback that reports each tenth once; the default is to the log."""

    def __init__(self, stage: str, unit: str, say: Callable[[str], None] = log.info) -> None:
        self._stage = stage
        self._unit = unit
        self._say = say
        self._tenths = 0

    def __call__(self, done: int, total: int) -> None:
        tenths = 10 * done // total if total else 0
        if tenths > self._tenths:
            self._tenths = tenths
            self._say(f"{self._stage}: {done} of {total} {self._unit} ({10 * tenths}%)")
