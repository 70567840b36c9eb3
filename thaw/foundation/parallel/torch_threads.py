"""The number of threads that torch computes with.

Threads wait for each other after every product. Over many small products, as in a factorisation or a solver's bookkeeping, the waiting costs more time than
the threads save, and up to a hundred times as much if another process shares the cores.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

SMALL = 2**20
"""The size of a matrix, in numbers, below which one thread is used."""


@contextmanager
def threads(count: int) -> Iterator[None]:
    """A context in which torch computes on `count` threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def threads_for(numbers: int) -> int:
    """The number of threads for products of a matrix with `numbers` numbers: one, or torch's setting."""
    return 1 if numbers < SMALL else torch.get_num_threads()
