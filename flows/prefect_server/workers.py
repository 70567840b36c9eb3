"""What `thaw up` starts beside the servers: the deployments, a worker that runs them, and what follows the data."""

import re
import sys

from flows.daemon.services import Service

_RECORD = re.compile(r"\d\d:\d\d:\d\d\.\d+ \| |Worker ")
"""How what is for people begins; the lines of a traceback do not."""
_CHATTER = re.compile(r"(?i)deployment (pull )?step|view at http|discovered type|submitt(ed|ing)")
_ANY = ("-m", "flows.cli")


def schedule() -> Service:
    """Puts the deployments and automations on the server, and ends."""
    return Service("schedule", (sys.executable, *_ANY, "schedule"), shows=_any)


def worker(pool: str) -> Service:
    """Runs the flows of the work pool, each in a process of its own."""
    command = (sys.executable, "-m", "prefect", "worker", "start", "--pool", pool, "--name", "thaw-up")
    # Stages print through their flow run, which prints through the worker: a person sees what they say.
    return Service("worker", command, shows=_worth_telling)


def follow(settle_s: float) -> Service:
    """Starts `transfer` when the data have changed and then stayed as they are for `settle_s` seconds."""
    return Service("follow", (sys.executable, *_ANY, "follow", "--settle", f"{settle_s:g}"), shows=_any)


def _any(line: str) -> bool:
    return True


def _worth_telling(line: str) -> bool:
    return _RECORD.match(line) is not None and _CHATTER.search(line) is None
