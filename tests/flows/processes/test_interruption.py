"""Ctrl-C ends a command at once, whatever it is doing, and what it started is told."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = """
import hashlib, subprocess, sys
from flows.processes.interruption import ended_at_once, heard, on_interruption
child = subprocess.Popen  # a process that ends with SIGINT if it gets it
with ended_at_once(lambda: print("interrupted", flush=True)):
    deaf = child([sys.executable, "-c", "import time; time.sleep(60)"])
    with heard():
        hearing = child([sys.executable, "-S", "-c", "import signal, time; signal.signal(2, 0); time.sleep(60)"])
    def end():
        for each in (deaf, hearing):
            each.send_signal(2)
        hearing.wait(5)
        open("told", "w").write(f"{deaf.poll()} {hearing.returncode}")
        deaf.kill()
    on_interruption(end)
    on_interruption(lambda: print("the terminal is as it was", flush=True), first=True)
    print("ready", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)  # one call that no handler of Python's interrupts
"""


def test_it_ends_at_once_in_the_middle_of_a_long_call(tmp_path: Path) -> None:
    command = [sys.executable, "-c", COMMAND]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    time.sleep(1)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert (said, process.returncode) == ("the terminal is as it was\ninterrupted\n", 130)
    assert time.monotonic() - began < 3
    assert (tmp_path / "told").read_text() == f"None {-signal.SIGINT}"


def test_without_ctrl_c_everything_is_as_before() -> None:
    from flows.processes.interruption import ended_at_once

    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with pytest.raises(ZeroDivisionError), ended_at_once(lambda: None):
        assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
        raise ZeroDivisionError
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
