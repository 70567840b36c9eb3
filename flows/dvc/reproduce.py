"""The reproduction of one stage by DVC, in a separate process that can be watched, timed and stopped."""

import codecs
import os
import re
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from flows.dvc.output_parser import Outcome, Transcript
from flows.dvc.stage_graph import PROGRAM
from flows.processes import orphan_guard
from flows.processes.interruption import heard, on_interruption
from flows.project.environment import QUIET, STATE, path_with_programs
from flows.project.errors import StageInterrupted

LOGS = STATE / "logs"
_GRACE_S = 10.0
"""Seconds that a stage may take to end after the request to stop; then it is killed."""
_INTERRUPTED_S = 1.0
"""The same after Ctrl-C: a person waits at the terminal."""
_POLL_S = 0.5
_BREAK = re.compile(r"[\r\n]")


@dataclass(frozen=True)
class Result:
    """The result of a stage's reproduction."""

    stage: str
    outcome: Outcome
    seconds: float
    reason: str
    """The reason of a failure, in one line; empty otherwise."""


@dataclass(frozen=True)
class Order:
    """A request to DVC to reproduce one stage."""

    stage: str
    force: bool = False
    """Run the stage even if nothing changed."""
    timeout_s: float = 6 * 3600.0
    """Seconds after which the stage is stopped with all its processes."""
    flow_run: str = ""
    """The Prefect flow run's id; the stage sees it as `THAW_FLOW_RUN`."""

    @property
    def command(self) -> list[str]:
        # DVC holds its own lock only for moments. Without the wait, the record of a finished stage could fail
        # because another stage is being recorded.
        options = ["--single-item", *(["--force"] if self.force else [])]
        return ["python", str(PROGRAM), "--wait-for-lock", "repro", *options, self.stage]


class Reproductions:
    """The `dvc repro` processes of one flow run, which can be stopped together; for use from threads.

    `environment`: variables that the stages see beside those of this process.
    """

    def __init__(self, root: Path, environment: Mapping[str, str] = MappingProxyType({})) -> None:
        self._root = root
        self._environment = environment
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False
        self._guard = threading.Lock()
        on_interruption(lambda: self.stop(_INTERRUPTED_S))

    def run(self, order: Order, on_line: Callable[[str], None] = lambda line: None) -> Result:
        """Reproduce one stage; `on_line` gets each line of the stage's own output as it arrives.

        The whole output is also in `.thaw/logs/STAGE.log`.

        Raises:
            StageInterrupted: `stop` was called.
        """
        started = time.monotonic()
        transcript = Transcript()
        process = self._start(order)
        try:
            in_time = self._watch(process, order, transcript, on_line)
        finally:
            # Also after an exception, such as Ctrl-C in the main thread, no process is left running.
            stop_group(process)
            orphan_guard.release(process.pid)
            with self._guard:
                self._running.discard(process)
        if self._stopped:
            raise StageInterrupted(f"stage `{order.stage}` was stopped")
        seconds = time.monotonic() - started
        if not in_time:
            reason = f"it did not end within {order.timeout_s:g} s"
            return Result(order.stage, Outcome.TIMED_OUT, seconds, reason)
        code = process.returncode
        outcome = transcript.outcome(code)
        return Result(order.stage, outcome, seconds, "" if outcome.done else transcript.reason(code))

    def stop(self, grace_s: float = _GRACE_S) -> None:
        """Stop all running stages and let no new stage start; returns when no stage runs, after `grace_s` at most."""
        with self._guard:
            self._stopped = True
            running = tuple(self._running)
        deadline = time.monotonic() + grace_s
        for process in running:
            _signal_group(process, signal.SIGINT)
        for process in running:
            _await_end(process, deadline - time.monotonic())

    def _start(self, order: Order) -> "subprocess.Popen[bytes]":
        with self._guard, heard():
            if self._stopped:
                raise StageInterrupted(f"stage `{order.stage}` was not started")
            process = subprocess.Popen(
                order.command,
                cwd=self._root,
                env=_environment(order) | self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._running.add(process)
        # The stage is killed with its flow run; otherwise it would still be at work during another try.
        orphan_guard.hold(process.pid)
        return process

    def _watch(
        self,
        process: "subprocess.Popen[bytes]",
        order: Order,
        transcript: Transcript,
        on_line: Callable[[str], None],
    ) -> bool:
        """Take in the output until the process ends; False if it did not end in time."""
        deadline = time.monotonic() + order.timeout_s
        log = self._root / log_of(order.stage)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w", encoding="utf-8") as file:
            for line in _lines(process, deadline):
                file.write(f"{line}\n")
                file.flush()
                if transcript.add(line):
                    on_line(line)
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))
        return process.poll() is not None


def log_of(stage: str) -> Path:
    """The file with the whole output of a stage's latest reproduction, relative to the project's root."""
    return LOGS / f"{stage.replace('/', '-').replace(':', '-')}.log"


def stop_group(process: "subprocess.Popen[bytes]", grace_s: float = _GRACE_S) -> None:
    """End a process and the group that it leads: a request to stop comes first, a kill after `grace_s`."""
    if process.poll() is None:
        _signal_group(process, signal.SIGINT)
    _await_end(process, grace_s)


def _await_end(process: "subprocess.Popen[bytes]", grace_s: float) -> None:
    """Wait for a process that was asked to end; kill its group after `grace_s`. A second request would disturb the first."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(max(0.0, grace_s))
    # The leader may have ended while its children still run.
    _signal_group(process, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _signal_group(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _environment(order: Order) -> dict[str, str]:
    return {
        **QUIET,
        **os.environ,
        "PATH": path_with_programs(os.environ),
        "PYTHONUNBUFFERED": "1",  # a line arrives when it is printed, not when a buffer is full
        "THAW_FLOW_RUN": order.flow_run,
    }


def _lines(process: "subprocess.Popen[bytes]", deadline: float) -> Iterator[str]:
    """The lines of the output until the output, the process or the time ends; a carriage return ends a line too."""
    assert process.stdout is not None
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    remainder = ""
    while time.monotonic() < deadline:
        wait_s = min(_POLL_S, max(0.0, deadline - time.monotonic()))
        ready, _, _ = select.select([process.stdout], [], [], wait_s)
        if not ready:
            if process.poll() is not None:  # it has ended, but a child keeps the pipe open
                break
            continue
        piece = os.read(process.stdout.fileno(), 65536)
        *lines, remainder = _BREAK.split(remainder + decoder.decode(piece, final=not piece))
        yield from lines
        if not piece:
            break
    if remainder:
        yield remainder
