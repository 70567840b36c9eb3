"""Process groups that must not outlive this process: a small guard process waits for its end and stops the groups.

The guard is started on first use, and reads the groups from its standard input. Any end of this process, also a kill, closes that pipe.
"""

import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

_GRACE_S = 5.0
"""Seconds that a group may take to end after the request to stop; then it is killed."""
_guard = threading.Lock()
_watcher: "subprocess.Popen[str] | None" = None


def hold(group: int) -> None:
    """Let the process group end with this process from now on."""
    _tell(f"+{group}")


def release(group: int) -> None:
    """Forget the process group: it has ended, and its number may belong to another group from now on."""
    _tell(f"-{group}")


def _tell(line: str) -> None:
    global _watcher  # noqa: PLW0603  # one guard for the process
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
    """Read the groups until the writing process has ended; then end the remaining groups."""
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        (groups.add if line.startswith("+") else groups.discard)(group)
    if groups:
        sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
        from flows.processes.termination import end

        end(groups, _GRACE_S)


if __name__ == "__main__":
    _wait_for_the_end()
