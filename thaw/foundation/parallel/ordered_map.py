"""Work on many items by threads, in order, with a bound on the number of open items."""

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

    At most `depth` items are in work or waiting, which bounds the memory. Finished items are yielded before `items` is asked for more. With `workers` None
    there is a thread for each core. An error of `work` is raised at the turn of its item. An early end of the iteration cancels the items that have not begun.
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
