"""The state of a file without a look inside: a reader knows by it that nothing was written since."""

from pathlib import Path


def state_of(path: Path) -> tuple[int, int, int] | None:
    """What changes when a file is replaced or written: its size in bytes, its time in nanoseconds, its number; None: there is no such file."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_size, state.st_mtime_ns, state.st_ino
