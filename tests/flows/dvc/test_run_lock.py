"""One run at a time, and no lock outlives its holder."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flows.dvc.run_lock import UP_LOCK, Holder, is_up, run_lock, up_lock
from flows.project.errors import AlreadyUp, RunInProgress

HOLD = """
import sys, time
from pathlib import Path
from flows.dvc.run_lock import run_lock
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


def test_one_is_up_at_a_time_and_a_killed_one_is_not(tmp_path: Path) -> None:
    assert not is_up(tmp_path)
    code = HOLD.replace("import run_lock", "import up_lock").replace("with run_lock", "with up_lock")
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        assert is_up(tmp_path)
        with pytest.raises(AlreadyUp, match=f"process {process.pid}"), up_lock(tmp_path):
            pass
    finally:
        process.kill()
        process.wait()
    assert (tmp_path / UP_LOCK).read_text(), "what it has signed is left behind"
    assert not is_up(tmp_path)
    with up_lock(tmp_path):
        assert is_up(tmp_path)
