"""The services of `thaw up` beside the servers: the scheduler, a worker, and the follower of the data."""

import re
import sys

from flows.daemon.services import Service

_RECORD = re.compile(r"\d\d:\d\d:\d\d\.\d+ \| |Worker ")
"""The beginning of a line for people; the lines of a traceback begin otherwise."""
_CHATTER = re.compile(r"(?i)deployment (pull )?step|view at http|discovered type|submitt(ed|ing)")
_ANY = ("-m", "flows.cli")


def schedule() -> Service:
    """The service that puts the deployments and automations on the server, and ends."""
    return Service("schedule", (sys.executable, *_ANY, "schedule"), shows=_any)


def worker(pool: str) -> Service:
    """The service that runs the flows of the work pool, each in its own process."""
    command = (sys.executable, "-m", "prefect", "worker", "start", "--pool", pool, "--name", "thaw-up")
    # A stage prints through its flow run, and the flow run prints through the worker, so people see the stage's output.
    return Service("worker", command, shows=_worth_telling)


def follow(settle_s: float) -> Service:
    """The service that starts `transfer` when the data have changed and then stayed unchanged for `settle_s` seconds."""
    return Service("follow", (sys.executable, *_ANY, "follow", "--settle", f"{settle_s:g}"), shows=_any)


def _any(line: str) -> bool:
    return True


def _worth_telling(line: str) -> bool:
    return _RECORD.match(line) is not None and _CHATTER.search(line) is None
