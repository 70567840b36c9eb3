"""How many threads torch computes with."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

SMALL = 2**20
"""Numbers in a matrix below which one thread is used."""


@contextmanager
def threads_for(numbers: int) -> Iterator[None]:
    """Compute on one thread where matrices hold fewer than `SMALL` numbers.

    Threads that wait for each other after every small product cost more than they save: up to a hundred
    times, where other processes share the cores.
    """
    before = torch.get_num_threads()
    if numbers < SMALL:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
