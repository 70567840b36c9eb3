"""A folder on the project's own disk for the time of one command; what a killed one has left goes with the next."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from flows.project.environment import STATE

_LOCK = "in-use"
"""A file that whoever uses the folder holds locked: the kernel lets go of it however a process ends."""


@contextmanager
def scratch_folder(root: Path, purpose: str) -> Iterator[Path]:
    """An empty folder in `.thaw/PURPOSE-...` that is gone afterwards. `purpose` is one word."""
    (root / STATE).mkdir(exist_ok=True)
    for left in (root / STATE).glob(f"{purpose}-*"):
        if _is_left(left):
            shutil.rmtree(left, ignore_errors=True)
    with TemporaryDirectory(dir=root / STATE, prefix=f"{purpose}-") as folder, (Path(folder) / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("a process that is at work holds this file\n")
        lock.flush()
        (content := Path(folder) / "content").mkdir()
        yield content


def _is_left(folder: Path) -> bool:
    """Whether its process has ended. One that is just being made is not locked yet, and its file is empty or not there."""
    try:
        with (folder / _LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return bool(lock.read())
    except OSError:
        return False
