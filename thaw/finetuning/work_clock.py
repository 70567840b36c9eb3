"""The clock of trainings: what is tried within some minutes must not depend on other work of the machine."""

import time
from collections.abc import Callable

import torch

from thaw.params.sections import FinetuneParams


def work_clock(params: FinetuneParams) -> Callable[[], float]:
    """A clock in seconds. On one processor it is the work of the thread that trains: on an idle machine that is the time that passes.

    The work on GPUs and of other processes is in no account of this thread, so there it is the time that passes.
    """
    return time.perf_counter if params.devices > 1 or torch.cuda.is_available() else time.thread_time
