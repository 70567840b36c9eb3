"""What other commands learn of a run that is going on."""

import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.dvc.run_account import Keeper, read_account
from flows.dvc.run_lock import run_lock

RUN = """
import sys, time
from pathlib import Path
from flows.dvc.run_account import Keeper
from flows.dvc.run_lock import run_lock
root = Path(sys.argv[1])
with run_lock(root):
    keeper = Keeper(root)
    keeper.starts("ingest")
    keeper.ends("ingest", done=True)
    keeper.starts("extract")
    for count in (60, 120):
        keeper.says("extract", f"extract: {count} of 1797 examples")
    time.sleep(1)
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def run(tmp_path: Path) -> "Iterator[subprocess.Popen[str]]":
    process = subprocess.Popen([sys.executable, "-c", RUN, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_it_tells_since_when_at_which_stage_and_how_far(run: "subprocess.Popen[str]", tmp_path: Path) -> None:
    account = read_account(tmp_path)
    assert account is not None and (account.pid, account.done) == (run.pid, ("ingest",))
    said = str(account)
    assert said.startswith(f"a run is going on (process {run.pid}, since ")
    assert "): extract since " in said and said.endswith("(extract: 120 of 1797 examples)")


def test_a_killed_run_is_no_run_and_the_next_one_does_not_take_its_account(
    run: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    run.kill()
    run.wait()
    assert read_account(tmp_path) is None
    with run_lock(tmp_path):
        account = read_account(tmp_path)
    assert account is not None and (account.pid, account.done, account.at_work) == (os.getpid(), (), ())
    assert "between two stages" in str(account)


def test_an_account_that_cannot_be_written_or_read_stops_nothing(tmp_path: Path) -> None:
    assert read_account(tmp_path) is None
    with run_lock(tmp_path):
        Keeper(tmp_path / ".thaw/run.lock").starts("head")  # no folder can be made there
        (tmp_path / ".thaw/run.json").write_text("{torn")
        assert read_account(tmp_path) is not None


def test_a_look_at_the_lock_does_not_turn_a_run_away(tmp_path: Path) -> None:
    (tmp_path / ".thaw").mkdir()
    with (tmp_path / ".thaw/run.lock").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        threading.Timer(0.3, fcntl.flock, (file, fcntl.LOCK_UN)).start()
        with run_lock(tmp_path, wait=False, on_wait=lambda holder: pytest.fail("it was no run")):
            pass
