"""Locks between processes, such as that of a feature store: many may add to the store at once, a process that removes from it must be alone."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from thaw.foundation.errors import InUse


@contextmanager
def adding(lock: Path) -> Iterator[None]:
    """Hold the lock together with others that add; wait for a process that removes. The kernel drops the lock whenever the process ends."""
    with _opened(lock) as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


@contextmanager
def taking_away(lock: Path) -> Iterator[None]:
    """Hold the lock alone.

    Raises:
        InUse: another process is adding or removing.
    """
    with alone(lock, "features are being extracted; try again when that has ended"):
        yield


@contextmanager
def alone(lock: Path, otherwise: str) -> Iterator[None]:
    """Hold a lock alone. otherwise: the message if that is not possible.

    Raises:
        InUse: another process holds it.
    """
    with _opened(lock) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InUse(otherwise) from error
        yield


def _opened(lock: Path) -> IO[str]:
    lock.parent.mkdir(parents=True, exist_ok=True)
    return lock.open("a")
