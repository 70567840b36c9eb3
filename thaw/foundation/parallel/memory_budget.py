"""A bound on the bytes that threads hold at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class MemoryBound:
    """Threads hold at most `nbytes` bytes together; a piece larger than the bound waits until it is alone."""

    def __init__(self, nbytes: int) -> None:
        self.nbytes = nbytes
        self._held = 0
        self._freed = threading.Condition()

    @contextmanager
    def holding(self, nbytes: int) -> Iterator[None]:
        """A context that holds `nbytes` bytes; it waits until there is room."""
        share = min(nbytes, self.nbytes)
        with self._freed:
            self._freed.wait_for(lambda: self._held + share <= self.nbytes)
            self._held += share
        try:
            yield
        finally:
            with self._freed:
                self._held -= share
                self._freed.notify_all()
