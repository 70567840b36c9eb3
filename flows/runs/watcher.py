"""The watcher of a run: the command line, or nobody."""

from contextvars import ContextVar
from typing import Protocol

from flows.dvc.reproduce import Result
from flows.dvc.run_lock import Holder


class Watcher(Protocol):
    """The events that a run reports. The methods are called from several threads."""

    def waits(self, holder: Holder) -> None:
        """Another run holds the project."""

    def starts(self, stage: str) -> None:
        """A stage was handed to DVC."""

    def says(self, stage: str, line: str) -> None:
        """A stage printed a line."""

    def ends(self, result: Result) -> None:
        """A stage ended; a stage whose error may pass may be tried again."""


class Nobody:
    """A watcher that ignores all events."""

    def waits(self, holder: Holder) -> None:
        pass

    def starts(self, stage: str) -> None:
        pass

    def says(self, stage: str, line: str) -> None:
        pass

    def ends(self, result: Result) -> None:
        pass


watcher: ContextVar[Watcher] = ContextVar("watcher", default=Nobody())  # noqa: B039  # it holds nothing
"""The watcher of the run. It is no parameter of the flow, because the parameters of a flow go to Prefect's server."""
