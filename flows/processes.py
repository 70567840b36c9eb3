"""Ending processes with all that they have started."""

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress

import psutil

_ALONE_S = 6.0
"""How long a leader may take to end once nothing is left below it: a Prefect worker would wait much longer for nothing."""


def end(leaders: Iterable[int], grace_s: float) -> None:
    """End process groups by their leaders, and all below them: asked first, killed after `grace_s` seconds.

    Returns when nothing is left but what this process itself must wait for.
    """
    asked = [(leader, _ask(leader)) for leader in leaders]
    deadline = time.monotonic() + grace_s
    for leader, family in asked:
        psutil.wait_procs(family[1:], timeout=max(0.0, deadline - time.monotonic()))
        psutil.wait_procs(family[:1], timeout=max(0.0, min(_ALONE_S, deadline - time.monotonic())))
        # Also what was started since it was asked.
        for member in {*family, *_family(leader)}:
            with suppress(psutil.Error):
                member.kill()
        _signal(leader, signal.SIGKILL)


def _ask(leader: int) -> list[psutil.Process]:
    """SIGTERM to a group, and to groups that its leader has started; returns all processes below it.

    A Prefect worker leads its flow runs in groups of their own, and waits for their end; a flow run ends its stages itself.
    """
    family = _family(leader)
    for member in family[1:]:
        with suppress(psutil.Error, ProcessLookupError):
            if member.ppid() == leader and os.getpgid(member.pid) == member.pid:
                _signal(member.pid, signal.SIGTERM)
    _signal(leader, signal.SIGTERM)
    return family


def _family(leader: int) -> list[psutil.Process]:
    try:
        first = psutil.Process(leader)
        return [first, *first.children(recursive=True)]
    except psutil.Error:
        return []


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
