"""Asking DVC to reproduce one stage, as a process of its own that can be watched, timed and stopped."""

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
from flows.processes import orphan_guard
from flows.project.environment import QUIET, STATE, path_with_programs
from flows.project.errors import StageInterrupted

LOGS = STATE / "logs"
_GRACE_S = 10.0
"""How long a stage may take to end after it was asked to, before it is killed."""
_POLL_S = 0.5
_BREAK = re.compile(r"[\r\n]")


@dataclass(frozen=True)
class Result:
    """How a stage's reproduction ended."""

    stage: str
    outcome: Outcome
    seconds: float
    reason: str
    """Why it did not end well, one line; empty otherwise."""


@dataclass(frozen=True)
class Order:
    """What to ask of DVC."""

    stage: str
    force: bool = False
    """Run it even where nothing changed."""
    timeout_s: float = 6 * 3600.0
    """When the stage, and all that it started, is stopped."""
    flow_run: str = ""
    """The Prefect flow run's id; the stage sees it as `THAW_FLOW_RUN`."""

    @property
    def command(self) -> list[str]:
        # Waiting for DVC's own lock, which it holds for moments only: otherwise a stage that has run
        # could fail to be recorded because another one is being recorded.
        options = ["--single-item", *(["--force"] if self.force else [])]
        return ["dvc", "--wait-for-lock", "repro", *options, self.stage]


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

    def run(self, order: Order, on_line: Callable[[str], None] = lambda line: None) -> Result:
        """Reproduce one stage; `on_line` gets each line of the stage's own output when it comes.

        All of the output is also in `.thaw/logs/STAGE.log`.

        Raises:
            StageInterrupted: `stop` was called.
        """
        started = time.monotonic()
        transcript = Transcript()
        process = self._start(order)
        try:
            in_time = self._watch(process, order, transcript, on_line)
        finally:
            # Also after an exception, such as Ctrl-C in the main thread: nothing is left running.
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

    def stop(self) -> None:
        """Stop all that runs, and let nothing new start; returns when nothing runs."""
        with self._guard:
            self._stopped = True
            running = tuple(self._running)
        for process in running:
            _signal_group(process, signal.SIGINT)
        for process in running:
            stop_group(process)

    def _start(self, order: Order) -> "subprocess.Popen[bytes]":
        with self._guard:
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
        # Killed with its flow run, or another try would find it at work.
        orphan_guard.hold(process.pid)
        return process

    def _watch(
        self,
        process: "subprocess.Popen[bytes]",
        order: Order,
        transcript: Transcript,
        on_line: Callable[[str], None],
    ) -> bool:
        """Take in the output until the process ends; false if it did not end in time."""
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
    """The file with all that a stage's latest reproduction printed, relative to the project's root."""
    return LOGS / f"{stage.replace('/', '-').replace(':', '-')}.log"


def stop_group(process: "subprocess.Popen[bytes]", grace_s: float = _GRACE_S) -> None:
    """End a process that leads its own group, and the whole group: asked first, killed after `grace_s`."""
    if process.poll() is None:
        _signal_group(process, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(grace_s)
    # The leader may be gone and what it started still there.
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
        "PYTHONUNBUFFERED": "1",  # lines come when they are printed, not when a buffer is full
        "THAW_FLOW_RUN": order.flow_run,
    }


def _lines(process: "subprocess.Popen[bytes]", deadline: float) -> Iterator[str]:
    """Lines of the output until it, the process or the time ends; a carriage return ends a line too."""
    assert process.stdout is not None
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest = ""
    while time.monotonic() < deadline:
        wait_s = min(_POLL_S, max(0.0, deadline - time.monotonic()))
        ready, _, _ = select.select([process.stdout], [], [], wait_s)
        if not ready:
            if process.poll() is not None:  # ended, but something that it started keeps the pipe open
                break
            continue
        piece = os.read(process.stdout.fileno(), 65536)
        *lines, rest = _BREAK.split(rest + decoder.decode(piece, final=not piece))
        yield from lines
        if not piece:
            break
    if rest:
        yield rest
