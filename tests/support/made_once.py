"""What takes seconds to make is made once for all workers of a test session: the first that asks makes it, the others wait; nobody changes it."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder that `make` has filled: it is given the folder, which exists and is empty."""
    shared = shared_folder(factory)
    made = shared / name
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            draft = shared / f"{name}.draft"
            draft.mkdir()
            make(draft)
            draft.rename(made)
    return made


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """The temporary folder of all workers of a test session."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
