"""The one log of `thaw up`: each line with its time and the name of the service that said it."""

import logging
import re
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from flows.dvc.reproduce import LOGS

LOG = LOGS / "up.log"
OWN = "up"
"""The name under which `thaw up` itself speaks."""
_MOST_BYTES = 10_000_000
_KEPT = 3
_TROUBLE = re.compile(r"\b(WARNING|WARN|ERROR|CRITICAL|FATAL)\b")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")

Show = Callable[[str, str], None]
"""Told the service and the line that a person should see."""


def trouble(line: str) -> bool:
    """Whether a server's line is more than chatter: a warning, an error."""
    return _TROUBLE.search(line) is not None


class Journal:
    """Lines of all services, in `.thaw/logs/up.log` (four files of 10 MB at most); for use from threads."""

    def __init__(self, root: Path, show: Show = lambda service, line: None) -> None:
        """`show` gets the lines that are for people as well."""
        (root / LOGS).mkdir(parents=True, exist_ok=True)
        self.path = root / LOG
        self._show = show
        self._file = RotatingFileHandler(
            self.path, maxBytes=_MOST_BYTES, backupCount=_KEPT, encoding="utf-8", errors="backslashreplace"
        )
        self._file.setFormatter(logging.Formatter("%(asctime)s %(name)-8s | %(message)s"))

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def say(self, line: str) -> None:
        """A line of `thaw up` itself, which people see too."""
        self.write(OWN, line, shown=True)

    def write(self, service: str, line: str, *, shown: bool) -> None:
        """A line of a service; `shown`: people see it too."""
        plain = _COLOURS.sub("", line).rstrip()
        if not plain:
            return
        self._file.handle(logging.LogRecord(service, logging.INFO, "", 0, plain, None, None))
        if shown:
            self._show(service, plain)
