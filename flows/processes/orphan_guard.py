"""Process groups that must not outlive this process, however it ends: one small process waits for its end and stops them.

It is started on first use, and learns through its standard input which groups there are. A kill of this process closes that pipe.
"""

import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

_GRACE_S = 5.0
"""How long a group may take to end after it was asked to, before it is killed."""
_guard = threading.Lock()
_watcher: "subprocess.Popen[str] | None" = None


def hold(group: int) -> None:
    """From now on the process group ends with this process."""
    _tell(f"+{group}")


def release(group: int) -> None:
    """The process group has ended; its number may belong to others from now on."""
    _tell(f"-{group}")


def _tell(line: str) -> None:
    global _watcher  # noqa: PLW0603  # one for the process
    with _guard:
        if _watcher is None or _watcher.poll() is not None:
            _watcher = subprocess.Popen(
                [sys.executable, "-I", __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
            )
        assert _watcher.stdin is not None
        with suppress(OSError):
            _watcher.stdin.write(f"{line}\n")
            _watcher.stdin.flush()


def _wait_for_the_end() -> None:
    """Read which groups are held, until whoever writes has ended; then end those that are left."""
    held: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        (held.add if line.startswith("+") else held.discard)(group)
    if held:
        sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
        from flows.processes.termination import end

        end(held, _GRACE_S)


if __name__ == "__main__":
    _wait_for_the_end()
