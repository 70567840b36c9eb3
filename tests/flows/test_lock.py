"""One run at a time, and no lock outlives its holder."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flows.errors import RunInProgress
from flows.lock import Holder, run_lock

HOLD = """
import sys, time
from pathlib import Path
from flows.lock import run_lock
with run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True, env={**os.environ}
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process


def test_a_second_one_is_told_who_holds_it(holder: "subprocess.Popen[str]", tmp_path: Path) -> None:
    with pytest.raises(RunInProgress, match=f"process {holder.pid}"), run_lock(tmp_path, wait=False):
        pass
    holder.kill()
    holder.wait()


def test_it_waits_and_goes_on_when_the_holder_is_killed(holder: "subprocess.Popen[str]", tmp_path: Path) -> None:
    told: list[Holder] = []

    def on_wait(found: Holder) -> None:
        told.append(found)
        holder.send_signal(signal.SIGKILL)

    with run_lock(tmp_path, on_wait=on_wait):
        assert json.loads((tmp_path / ".thaw/run.lock").read_text())["pid"] == os.getpid()
    assert [one.pid for one in told] == [holder.pid]
    holder.wait()


def test_the_same_process_passes_through(tmp_path: Path) -> None:
    with run_lock(tmp_path), run_lock(tmp_path, wait=False):
        pass
