"""What is held ends with its holder, even one that is killed; what was released goes on."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest

HOLDER = """
import subprocess, sys, time
from flows.processes import orphan_guard
asleep = [sys.executable, "-c", "import time; time.sleep(600)"]
# A process that starts another one in a group of its own, as a worker does with its flow runs.
parent = "import subprocess, sys, time; p = subprocess.Popen(%r, start_new_session=True); print(p.pid, flush=True); time.sleep(600)" % asleep
held = subprocess.Popen([sys.executable, "-c", parent], start_new_session=True, stdout=subprocess.PIPE, text=True)
let_go = subprocess.Popen(asleep, start_new_session=True)
orphan_guard.hold(held.pid)
orphan_guard.hold(let_go.pid)
orphan_guard.release(let_go.pid)
print(held.pid, held.stdout.readline().strip(), let_go.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def holder() -> "Iterator[subprocess.Popen[str]]":
    process = subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_held_groups_and_what_they_started_end_with_the_holder(
    holder: "subprocess.Popen[str]", end: signal.Signals
) -> None:
    assert holder.stdout is not None
    held, below, let_go = (psutil.Process(int(pid)) for pid in holder.stdout.readline().split())
    try:
        holder.send_signal(end)
        holder.wait()
        psutil.wait_procs([held, below], timeout=30)
        assert not is_alive(held) and not is_alive(below)
        assert is_alive(let_go)
    finally:
        for process in (held, below, let_go):
            with suppress(psutil.Error):
                process.kill()


def is_alive(process: psutil.Process) -> bool:
    # Where nobody waits for orphans, an ended one stays as a zombie.
    with suppress(psutil.Error):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def test_a_group_that_has_ended_meanwhile_is_no_matter() -> None:
    code = "from flows.processes import orphan_guard; orphan_guard.hold(2**22 + 1); orphan_guard.release(2**22 + 2)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ})
    assert done.stdout + done.stderr == ""
