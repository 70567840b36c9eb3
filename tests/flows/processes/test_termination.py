"""Ending a process with all below it: who stops by himself may, who does not is killed."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from flows.processes.termination import end

# Starts another process in a group of its own; both write down the signal that they get, and end or do not.
FAMILY = """
import signal, subprocess, sys, time
name, stubborn, below = sys.argv[1], sys.argv[2] == "stubborn", sys.argv[3:]
def told(number, frame):
    open(name, "w").write(str(number))
    if not stubborn:
        sys.exit(0)
signal.signal(signal.SIGTERM, told)
if below:
    subprocess.Popen([sys.executable, "-c", sys.orig_argv[2], *below], start_new_session=True)
else:
    print("ready", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("stubborn", ["stubborn", "willing"])
def test_all_are_asked_and_those_who_stay_are_killed(tmp_path: Path, stubborn: str) -> None:
    command = [sys.executable, "-c", FAMILY, "leader", stubborn, "run", stubborn]
    leader = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert leader.stdout is not None and leader.stdout.readline() == "ready\n"
    (run,) = psutil.Process(leader.pid).children()
    began = time.monotonic()
    end([leader.pid], grace_s=1 if stubborn == "stubborn" else 60)
    assert time.monotonic() - began < 30
    leader.wait(30)
    psutil.wait_procs([run], timeout=30)
    assert not run.is_running() or run.status() == psutil.STATUS_ZOMBIE
    assert (tmp_path / "leader").read_text() == (tmp_path / "run").read_text() == "15"


def test_what_has_ended_is_no_matter() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)
    process.wait()
    end([process.pid], grace_s=60)
