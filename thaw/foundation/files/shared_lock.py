"""Who may change a feature store: many may add to it at once, whoever takes away must be alone."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from thaw.foundation.errors import InUse


@contextmanager
def adding(lock: Path) -> Iterator[None]:
    """Hold the lock with others who add; waits for one who takes away. The kernel drops it with the process, however that ends."""
    with _opened(lock) as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


@contextmanager
def taking_away(lock: Path) -> Iterator[None]:
    """Hold the lock alone.

    Raises:
        InUse: somebody is adding, or taking away.
    """
    with _opened(lock) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InUse("features are being extracted; try again when that has ended") from error
        yield


def _opened(lock: Path) -> IO[str]:
    lock.parent.mkdir(parents=True, exist_ok=True)
    return lock.open("a")
