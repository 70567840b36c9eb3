"""A gate between running networks and tracing them.

While torch.fx traces a network it replaces `torch.nn.Module.__call__` for the whole process, and a network that another thread runs meanwhile fails. Reading a
backbone and folding it trace; both take tenths of a second, for which the networks that run in Python wait.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """Any number of threads pass at once, or one closes it and is alone; who wants to close it comes before who wants to pass."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._passing = 0
        self._closing = 0
        self._closed = False

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Wait until nobody traces, and run a network within."""
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
        """Wait until no network runs, and trace within."""
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
"""Of this process."""
