"""The parser of `dvc repro`'s output: it tells the stage's own lines from DVC's, and derives the outcome."""

import re
import signal
from dataclasses import dataclass, field
from enum import StrEnum

TRANSIENT_EXIT = 75
"""A stage's exit code for an error that may pass by itself (EX_TEMPFAIL)."""

_AFTER = re.compile(r"^((Generating|Updating) lock file '.*'|Use `dvc push` to send your updates to remote storage\.)$")
"""DVC's messages after a stage has ended; the second appears if there is a remote."""
_EXITED = re.compile(r"exited with (?P<code>-?\d+)$")
_ERROR = "ERROR: "
BUSY = ("blocked by", "Unable to acquire lock", "is busy")
"""Signs that another DVC process works on the same files."""


class Outcome(StrEnum):
    """The outcome of `dvc repro` for one stage."""

    RAN = "ran"
    RESTORED = "restored"
    """DVC had run the stage before on the same inputs, and restored its outputs from the cache."""
    UP_TO_DATE = "up to date"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    BUSY = "busy"
    """Another DVC process works on the same files; another try makes sense."""
    TRANSIENT = "transient"
    """The stage met an error that may pass by itself; another try makes sense."""

    @property
    def done(self) -> bool:
        return self in (Outcome.RAN, Outcome.RESTORED, Outcome.UP_TO_DATE)

    @property
    def may_pass(self) -> bool:
        """Whether another try makes sense."""
        return self in (Outcome.BUSY, Outcome.TRANSIENT)


@dataclass
class Transcript:
    """The lines of one `dvc repro`, taken in as they arrive."""

    ran: bool = False
    restored: bool = False
    last_line: str = ""
    """The last line of the stage's own output that is not blank."""
    error: list[str] = field(default_factory=list)
    """DVC's error message: its first line and the lines after it."""
    _inside: bool = False

    def add(self, line: str) -> bool:
        """Take in one line; True if the line is the stage's own."""
        if line.startswith(_ERROR) and (not self._inside or "failed to reproduce" in line):
            self._inside = False
            self.error = [line.removeprefix(_ERROR)]
            return False
        if self.error:
            self.error.append(line)
            return False
        return self._add_progress(line)

    def _add_progress(self, line: str) -> bool:
        if line.startswith("> ") and (self.ran or self._inside):
            self._inside = True
        elif line.startswith("Running stage '") and not self._inside:
            self.ran = True
        elif line.startswith("Stage '") and line.endswith("is cached - skipping run, checking out outputs"):
            self.restored = True
        elif _AFTER.match(line):
            self._inside = False
        elif self._inside:
            self.last_line = line.strip() or self.last_line
            return True
        return False

    def outcome(self, exit_code: int) -> Outcome:
        """The outcome that the exit code of `dvc` means after these lines."""
        if exit_code == 0:
            return Outcome.RAN if self.ran else Outcome.RESTORED if self.restored else Outcome.UP_TO_DATE
        if any(sign in line for line in self.error for sign in BUSY):
            return Outcome.BUSY
        if self._stage_exit() == TRANSIENT_EXIT:
            return Outcome.TRANSIENT
        return Outcome.FAILED

    def reason(self, exit_code: int) -> str:
        """The reason of the failure in one line: the stage's own last line, else DVC's error."""
        code = self._stage_exit()
        if code is not None and (number := -code if code < 0 else code - 128) > 0:
            is_signal = number in set(signal.Signals)
            killed = f"killed by {signal.Signals(number).name}" if is_signal else f"exit code {code}"
            return f"{killed}; its last line was: {self.last_line}" if self.last_line else killed
        if code is not None and self.last_line:
            return self.last_line
        message = " ".join(line.strip() for line in self.error if line.strip())
        return message or f"dvc ended with exit code {exit_code}"

    def _stage_exit(self) -> int | None:
        """The exit code of the stage's command; None if DVC's error does not name it."""
        match = _EXITED.search(self.error[0]) if self.error else None
        return int(match["code"]) if match else None
