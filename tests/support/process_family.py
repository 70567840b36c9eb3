"""A process and all that it has started."""

import psutil


def family_of(pid: int) -> list[psutil.Process]:
    """A process and all that it has started."""
    return [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]


def command_of(process: psutil.Process) -> str:
    """Its command line; empty for a process that has just ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def left_of(family: list[psutil.Process], seconds: float = 30) -> list[psutil.Process]:
    """The processes that still run after some seconds at most; one that has ended and was not waited for does not count."""
    _, left = psutil.wait_procs(family, timeout=seconds)
    return [process for process in left if process.status() != psutil.STATUS_ZOMBIE]
