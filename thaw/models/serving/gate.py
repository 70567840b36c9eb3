"""A gate that separates running networks from their tracing.

While torch.fx traces a network it replaces `torch.nn.Module.__call__` for the whole process, and a network that another thread runs meanwhile fails. Reading
and folding a backbone trace it; both take tenths of a second, and the networks that run in Python wait that long.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """Any number of threads pass at once, or one thread closes the gate and is alone; a thread that wants to close it has priority."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._passing = 0
        self._closing = 0
        self._closed = False

    @contextmanager
    def passing(self) -> Iterator[None]:
        """A context for running a network; it waits until no thread traces."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing == 0)
            self._passing += 1
        try:
            yield
        finally:
            with self._changed:
                self._passing -= 1
                self._changed.notify_all()

    @contextmanager
    def closed(self) -> Iterator[None]:
        """A context for tracing; it waits until no network runs."""
        with self._changed:
            self._closing += 1
            self._changed.wait_for(lambda: self._passing == 0 and not self._closed)
            self._closed = True
        try:
            yield
        finally:
            with self._changed:
                self._closed = False
                self._closing -= 1
                self._changed.notify_all()


TRACING = Gate()
"""The gate of this process."""
