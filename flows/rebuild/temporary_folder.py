"""A temporary folder on the project's own disk for one command; the next command deletes the folder of a killed command."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from flows.project.environment import STATE

_LOCK = "in-use"
"""A file that the user of the folder holds locked; the kernel releases the lock at any end of the process."""


@contextmanager
def scratch_folder(root: Path, purpose: str) -> Iterator[Path]:
    """An empty folder in `.thaw/PURPOSE-...` for the time of the context. `purpose` is one word."""
    (root / STATE).mkdir(exist_ok=True)
    for leftover in (root / STATE).glob(f"{purpose}-*"):
        if _is_leftover(leftover):
            shutil.rmtree(leftover, ignore_errors=True)
    with TemporaryDirectory(dir=root / STATE, prefix=f"{purpose}-") as folder, (Path(folder) / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("a process that is at work holds this file\n")
        lock.flush()
        (content := Path(folder) / "content").mkdir()
        yield content


def _is_leftover(folder: Path) -> bool:
    """Whether the folder's process has ended. A folder that is just being made is not locked yet: its file is empty or missing."""
    try:
        with (folder / _LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return bool(lock.read())
    except OSError:
        return False
