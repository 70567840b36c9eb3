"""The end of a command by Ctrl-C: at once, whatever its threads are doing."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

CODE = 130
_closings: list[Callable[[], object]] = []
"""What leaves the terminal as it was, such as the end of a live display."""
_endings: list[Callable[[], object]] = []
"""What ends the work that was begun: processes and runs elsewhere."""


def on_interruption(ending: Callable[[], object], *, first: bool = False) -> None:
    """Let Ctrl-C call this, in the order of the calls; it must not take long. first: before the line on the terminal."""
    (_closings if first else _endings).append(ending)


@contextmanager
def ended_at_once(say: Callable[[], object]) -> Iterator[None]:
    """A context in which Ctrl-C ends the process with 130, after `say` and the calls of `on_interruption`.

    A thread of its own waits for the signal, and all other threads and the processes that they start block it. So neither a long computation nor Prefect's
    handling of a broken-off run holds up the end, and a temporary server in the same terminal lives until it has been told of the end. Outside the main thread
    the context does nothing. A process that must get the signal is started within `heard`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    over = threading.Event()
    waiting = threading.Thread(target=_wait, args=(say, over), daemon=True)
    waiting.start()
    try:
        yield
    finally:
        over.set()
        with suppress(ProcessLookupError):
            signal.pthread_kill(waiting.ident or 0, signal.SIGINT)
        waiting.join()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def heard() -> Iterator[None]:
    """A context in which this thread starts processes that get SIGINT."""
    before = signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _wait(say: Callable[[], object], over: threading.Event) -> None:
    signal.sigwait({signal.SIGINT})
    if over.is_set():
        return
    for closing in (*_closings, say, _silence, *_endings):
        with suppress(Exception):
            closing()
    os._exit(CODE)


def _silence() -> None:
    """What other threads say of the end, such as that a server has gone, is of no use to anybody."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
