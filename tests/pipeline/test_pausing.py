"""A server of the tests' own stands still while no test needs it."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from started import Pausing, serving

from flows.daemon.services import Service


def wait_for(condition: Callable[[], bool], expected: bool) -> None:
    """A signal takes a moment to arrive."""
    deadline = time.monotonic() + 30
    while condition() != expected:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_is_halted_and_goes_on(tmp_path: Path) -> None:
    service = Service("asleep", (sys.executable, "-c", "import time; time.sleep(600)"))
    with serving(service, tmp_path) as server:
        pausing, process = Pausing(server), psutil.Process(server.pid)
        for needed in (False, True, False):
            pausing.go_on(needed)
            wait_for(lambda: process.status() == psutil.STATUS_STOPPED, not needed)
    assert not process.is_running(), "it ends all the same"
