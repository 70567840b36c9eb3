"""Many add, one takes away, and a process that dies holds nothing."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from thaw.foundation.errors import InUse
from thaw.foundation.files.shared_lock import adding, taking_away

ADD = """
import sys, time
from pathlib import Path
from thaw.foundation.files.shared_lock import adding
with adding(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_those_who_add_do_not_wait_for_each_other(tmp_path: Path) -> None:
    lock = tmp_path / "state/features.lock"
    with adding(lock), adding(lock), pytest.raises(InUse, match="being extracted"), taking_away(lock):
        pass
    with taking_away(lock), pytest.raises(InUse), taking_away(lock):
        pass


def test_a_process_that_is_killed_holds_nothing(tmp_path: Path) -> None:
    lock = tmp_path / "features.lock"
    with subprocess.Popen([sys.executable, "-c", ADD, lock], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "held\n"
        with pytest.raises(InUse), taking_away(lock):
            pass
        process.kill()
    with taking_away(lock):
        pass


def test_who_adds_waits_for_who_takes_away(tmp_path: Path) -> None:
    lock = tmp_path / "features.lock"
    with taking_away(lock):
        process = subprocess.Popen([sys.executable, "-c", ADD, lock], stdout=subprocess.PIPE, text=True)
        time.sleep(0.5)
        assert process.poll() is None
    with process:
        assert process.stdout and process.stdout.readline() == "held\n"
        process.kill()
