"""A folder on the project's own disk for the time of one command; what a killed one has left goes with the next."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from flows.environment import STATE


@contextmanager
def scratch_folder(root: Path, purpose: str) -> Iterator[Path]:
    """An empty folder `.thaw/PURPOSE-...` that is gone afterwards. `purpose` is one word."""
    (root / STATE).mkdir(exist_ok=True)
    for left in (root / STATE).glob(f"{purpose}-*-*"):
        owner = left.name.split("-")[1]
        if owner.isdecimal() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
    with TemporaryDirectory(dir=root / STATE, prefix=f"{purpose}-{os.getpid()}-") as folder:
        yield Path(folder)
