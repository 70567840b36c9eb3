"""The log of `thaw up`: each line with its time and the name of the service that printed it."""

import logging
import re
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from flows.dvc.reproduce import LOGS

LOG = LOGS / "up.log"
OWN = "up"
"""The name of `thaw up` itself in the log."""
_MOST_BYTES = 10_000_000
_BACKUPS = 3
_TROUBLE = re.compile(r"\b(WARNING|WARN|ERROR|CRITICAL|FATAL)\b")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")

Show = Callable[[str, str], None]
"""A function that shows a line to people; it gets the name of the service and the line."""


def trouble(line: str) -> bool:
    """Whether a server's line reports a warning or an error."""
    return _TROUBLE.search(line) is not None


class Journal:
    """Lines of all services, in `.thaw/logs/up.log` (four files of 10 MB at most); for use from threads."""

    def __init__(self, root: Path, show: Show = lambda service, line: None) -> None:
        """`show` also gets the lines that are for people."""
        (root / LOGS).mkdir(parents=True, exist_ok=True)
        self.path = root / LOG
        self._show = show
        self._file = RotatingFileHandler(
            self.path, maxBytes=_MOST_BYTES, backupCount=_BACKUPS, encoding="utf-8", errors="backslashreplace"
        )
        self._file.setFormatter(logging.Formatter("%(asctime)s %(name)-8s | %(message)s"))

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def say(self, line: str) -> None:
        """Write a line of `thaw up` itself; people see it too."""
        self.write(OWN, line, for_people=True)

    def write(self, service: str, line: str, *, for_people: bool) -> None:
        """Write a line of a service; `for_people`: people see it too."""
        plain = _COLOURS.sub("", line).rstrip()
        if not plain:
            return
        self._file.handle(logging.LogRecord(service, logging.INFO, "", 0, plain, None, None))
        if for_people:
            self._show(service, plain)
