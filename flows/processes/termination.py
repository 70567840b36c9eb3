"""Ending processes with all that they have started."""

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress

import psutil

_POLL_S = 0.1
_MOMENT_S = 1.0
"""What leaders have at the least, where those below them have used up the time."""
_ALONE_S = 6.0
"""How long a leader may take to end once nothing is left below it: a Prefect worker would wait much longer for nothing."""


def end(leaders: Iterable[int], grace_s: float) -> None:
    """End process groups by their leaders, and all below them: asked first, killed after `grace_s` seconds.

    Groups that a leader has started are asked before it is: a Prefect worker leads its flow runs in groups of their own, and would kill
    them before they could tell Prefect. A flow run ends its stages itself. Returns when nothing is left but what this process
    itself must wait for.
    """
    deadline = time.monotonic() + grace_s
    families = {leader: _family(leader) for leader in leaders}
    below = [_groups_below(leader, family) for leader, family in families.items()]
    for group in (group for groups in below for group in groups):
        _signal(group.pid, signal.SIGTERM)
    apart = {member for groups in below for group in groups for member in (group, *_family(group.pid))}
    _wait(apart, deadline)
    for leader in families:
        _signal(leader, signal.SIGTERM)
    deadline = max(deadline, time.monotonic() + _MOMENT_S)
    for leader, family in families.items():
        _wait(family[1:], deadline)
        _wait(family[:1], min(deadline, time.monotonic() + _ALONE_S))
        # Also what was started since it was asked.
        for member in {*family, *_family(leader)}:
            with suppress(psutil.Error):
                member.kill()
        _signal(leader, signal.SIGKILL)


def _groups_below(leader: int, family: list[psutil.Process]) -> list[psutil.Process]:
    """The processes that a leader has started as leaders of groups of their own."""
    found = []
    for member in family[1:]:
        with suppress(psutil.Error, ProcessLookupError):
            if member.ppid() == leader and os.getpgid(member.pid) == member.pid:
                found.append(member)
    return found


def _wait(processes: Iterable[psutil.Process], deadline: float) -> None:
    """Wait until none of them runs; one that has ended, and that nobody has taken note of, does not."""
    left = list(processes)
    while (left := [one for one in left if _runs(one)]) and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _family(leader: int) -> list[psutil.Process]:
    try:
        first = psutil.Process(leader)
        return [first, *first.children(recursive=True)]
    except psutil.Error:
        return []


def _signal(leader: int, number: signal.Signals) -> None:
    """To its group, or to itself where it leads none."""
    with suppress(ProcessLookupError, PermissionError):
        if _leads(leader):
            os.killpg(leader, number)
        else:
            os.kill(leader, number)


def _leads(leader: int) -> bool:
    try:
        return os.getpgid(leader) == leader
    except ProcessLookupError:  # its group may have outlived it
        return True
