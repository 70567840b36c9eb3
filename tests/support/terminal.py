"""A command in a real terminal, where Ctrl-C reaches it and all that it has started in the foreground."""

import os
import pty
import re
import select
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\u2800-\u28ff]")


class Terminal:
    """A command in a terminal of its own."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, environment)  # noqa: S606  # no shell is wanted
        self._shown = b""

    def wait_for(self, condition: Callable[[], object], timeout_s: float = 120) -> None:
        """Read what is shown until the condition holds."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert self._read() and time.monotonic() < deadline, self.shown()

    def shown(self) -> str:
        """Everything that was shown, without colours and spinners."""
        return _ESCAPES.sub("", self._shown.decode(errors="replace"))

    def interrupt(self) -> tuple[int, list[str]]:
        """Press Ctrl-C: the exit code, and the lines that were shown after it."""
        os.write(self._terminal, b"\x03")
        while self._read():
            pass
        _, status = os.waitpid(self._pid, 0)
        after = self.shown().rpartition("^C")[2]
        lines = [line.strip() for line in re.split(r"[\r\n]+", after) if line.strip()]
        return os.waitstatus_to_exitcode(status), lines

    def _read(self) -> bool:
        """Read for a moment; False at the end."""
        ready, _, _ = select.select([self._terminal], [], [], 0.05)
        if not ready:
            return True
        try:
            piece = os.read(self._terminal, 65536)
        except OSError:  # Linux's end of a terminal
            return False
        self._shown += piece
        return bool(piece)
