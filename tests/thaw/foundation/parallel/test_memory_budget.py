"""The bound holds whatever the threads do, and nothing waits for ever."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given, settings
from hypothesis import strategies as st

from thaw.foundation.parallel.memory_budget import MemoryBound


@settings(max_examples=30)
@given(st.lists(st.integers(0, 15), max_size=40), st.integers(1, 10))
def test_threads_never_hold_more_than_the_bound_and_all_get_their_turn(sizes: list[int], most: int) -> None:
    bound, lock = MemoryBound(most), threading.Lock()
    held, seen = [0], []

    def work(size: int) -> None:
        share = min(size, most)  # what is larger than the bound fills it alone
        with bound.holding(size):
            with lock:
                held[0] += share
                seen.append(held[0])
            time.sleep(0.0002)
            with lock:
                held[0] -= share

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, sizes))
    assert len(seen) == len(sizes) and all(together <= most for together in seen)


def test_an_error_gives_the_room_back() -> None:
    bound = MemoryBound(10)
    for _ in range(3):
        try:
            with bound.holding(10):
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass
    with bound.holding(10):
        pass
