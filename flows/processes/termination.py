"""The termination of processes with all their descendants."""

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress

import psutil

_POLL_S = 0.1
_MOMENT_S = 1.0
"""The least number of seconds for leaders, if the groups below them have used up the time."""
_ALONE_S = 6.0
"""Seconds that a leader may take to end once no process is left below it; a Prefect worker would wait much longer in vain."""


def end(leaders: Iterable[int], grace_s: float) -> None:
    """End process groups, given by their leaders, and all groups below: a request to stop comes first, a kill after `grace_s` seconds.

    The groups that a leader has started get the request before the leader: a Prefect worker leads its flow runs in separate groups, and would
    kill them before they could report to Prefect. A flow run ends its stages itself. The function returns when only processes that this
    process itself must wait for are left.
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
        # This includes processes that were started after the request.
        for member in {*family, *_family(leader)}:
            with suppress(psutil.Error):
                member.kill()
        _signal(leader, signal.SIGKILL)


def _groups_below(leader: int, family: list[psutil.Process]) -> list[psutil.Process]:
    """The processes that a leader has started as leaders of separate groups."""
    groups = []
    for member in family[1:]:
        with suppress(psutil.Error, ProcessLookupError):
            if member.ppid() == leader and os.getpgid(member.pid) == member.pid:
                groups.append(member)
    return groups


def _wait(processes: Iterable[psutil.Process], deadline: float) -> None:
    """Wait until none of the processes runs; a zombie does not count as running."""
    running = list(processes)
    while (running := [process for process in running if _runs(process)]) and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _family(leader: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(leader)
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def _signal(leader: int, number: signal.Signals) -> None:
    """Send a signal to the group of a leader, or to the process itself if it leads no group."""
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
