"""How many threads torch computes with.

Threads wait for each other after every product. Over many small ones, as in a factorisation or a solver's bookkeeping,
that costs more than it saves, and up to a hundred times as much where another process shares the cores.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

SMALL = 2**20
"""Numbers in a matrix below which one thread is used for it."""


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute on `count` threads within."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def threads_for(numbers: int) -> int:
    """The threads to use for products of a matrix of that many numbers: one, or as many as torch is set to."""
    return 1 if numbers < SMALL else torch.get_num_threads()
