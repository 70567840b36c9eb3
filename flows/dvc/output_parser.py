"""Reading the output of `dvc repro`: which lines are the stage's own, and what the end of it means."""

import re
import signal
from dataclasses import dataclass, field
from enum import StrEnum

TRANSIENT_EXIT = 75
"""A stage's exit code for what may pass by itself (EX_TEMPFAIL)."""

_AFTER = re.compile(r"^((Generating|Updating) lock file '.*'|Use `dvc push` to send your updates to remote storage\.)$")
"""What DVC says when a stage has ended; the second where there is a remote."""
_EXITED = re.compile(r"exited with (?P<code>-?\d+)$")
_ERROR = "ERROR: "
_BUSY = ("blocked by", "Unable to acquire lock")


class Outcome(StrEnum):
    """How one `dvc repro` of one stage ended."""

    RAN = "ran"
    RESTORED = "restored"
    """DVC had run it before on the same inputs, and put its outputs back from its cache."""
    UP_TO_DATE = "up to date"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    BUSY = "busy"
    """Another DVC process works on the same files; worth another try."""
    TRANSIENT = "transient"
    """The stage met something that may pass by itself; worth another try."""

    @property
    def done(self) -> bool:
        return self in (Outcome.RAN, Outcome.RESTORED, Outcome.UP_TO_DATE)

    @property
    def may_pass(self) -> bool:
        """Whether another try makes sense."""
        return self in (Outcome.BUSY, Outcome.TRANSIENT)


@dataclass
class Transcript:
    """The lines of one `dvc repro` as they come in."""

    ran: bool = False
    restored: bool = False
    last_line: str = ""
    """The stage's own last line that is not blank."""
    error: list[str] = field(default_factory=list)
    """DVC's error message: its first line and what follows."""
    _inside: bool = False

    def add(self, line: str) -> bool:
        """Take in one line; true if it is the stage's own."""
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
        """What the exit code of `dvc` means after these lines."""
        if exit_code == 0:
            return Outcome.RAN if self.ran else Outcome.RESTORED if self.restored else Outcome.UP_TO_DATE
        if any(sign in line for line in self.error for sign in _BUSY):
            return Outcome.BUSY
        if self._stage_exit() == TRANSIENT_EXIT:
            return Outcome.TRANSIENT
        return Outcome.FAILED

    def reason(self, exit_code: int) -> str:
        """One line that says why it failed: the stage's own last line, else DVC's error."""
        code = self._stage_exit()
        if code is not None and (number := -code if code < 0 else code - 128) > 0:
            known = number in set(signal.Signals)
            killed = f"killed by {signal.Signals(number).name}" if known else f"exit code {code}"
            return f"{killed}; its last line was: {self.last_line}" if self.last_line else killed
        if code is not None and self.last_line:
            return self.last_line
        said = " ".join(line.strip() for line in self.error if line.strip())
        return said or f"dvc ended with exit code {exit_code}"

    def _stage_exit(self) -> int | None:
        """The exit code of the stage's command, where DVC's error names one."""
        match = _EXITED.search(self.error[0]) if self.error else None
        return int(match["code"]) if match else None
