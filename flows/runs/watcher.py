"""Telling whoever watches a run how it goes: the command line, or nobody."""

from contextvars import ContextVar
from typing import Protocol

from flows.dvc.reproduce import Result
from flows.dvc.run_lock import Holder


class Watcher(Protocol):
    """What a run tells while it goes. Called from several threads."""

    def waits(self, holder: Holder) -> None:
        """Another run holds the project."""

    def starts(self, stage: str) -> None:
        """A stage was handed to DVC."""

    def says(self, stage: str, line: str) -> None:
        """A stage printed a line."""

    def ends(self, result: Result) -> None:
        """A stage ended; if its outcome may pass, it may be tried again."""


class Nobody:
    """A watcher that looks away."""

    def waits(self, holder: Holder) -> None:
        pass

    def starts(self, stage: str) -> None:
        pass

    def says(self, stage: str, line: str) -> None:
        pass

    def ends(self, result: Result) -> None:
        pass


watcher: ContextVar[Watcher] = ContextVar("watcher", default=Nobody())  # noqa: B039  # it holds nothing
"""Who watches the run. Not a parameter of the flow, whose parameters go to Prefect's server."""
