"""Work on many items by threads, in order, with a bound on what is under way."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_ahead(
    work: Callable[[Item], Result], items: Iterable[Item], *, workers: int | None = None, depth: int
) -> Iterator[tuple[Item, Result]]:
    """Yield (item, work(item)) in the order of `items`, computed by threads ahead of the reader.

    At most `depth` items are under way or waiting: the bound on memory. What is done is yielded before `items` is asked for more. `workers` None
    means one a core. An error of `work` is raised where its item comes; leaving the iteration early cancels what has not begun.
    """
    pool = ThreadPoolExecutor(workers or usable_cores())
    waiting: deque[tuple[Item, Future[Result]]] = deque()
    try:
        for item in items:
            waiting.append((item, pool.submit(work, item)))
            while waiting and (len(waiting) >= depth or waiting[0][1].done()):
                first, future = waiting.popleft()
                yield first, future.result()
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def usable_cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
