"""Threads ahead of the reader: in order, bounded, and stopped when no one reads on."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thaw.foundation.parallel.ordered_map import map_ahead


@given(st.lists(st.integers(), max_size=30), st.integers(1, 4), st.integers(1, 9))
def test_results_come_in_order_beside_their_items(items: list[int], workers: int, depth: int) -> None:
    assert list(map_ahead(lambda item: item * 2, items, workers=workers, depth=depth)) == [
        (item, item * 2) for item in items
    ]


def test_no_more_than_the_depth_is_taken_ahead_of_the_reader() -> None:
    taken: list[int] = []

    def items() -> object:
        for number in range(100):
            taken.append(number)
            yield number

    for read, _ in enumerate(map_ahead(lambda item: item, items(), workers=4, depth=5)):  # type: ignore[arg-type]
        assert len(taken) <= read + 5


def test_an_error_comes_where_its_item_comes_and_the_rest_is_not_begun() -> None:
    begun: list[int] = []
    gate = threading.Event()

    def work(item: int) -> int:
        begun.append(item)
        if item == 3:
            raise ZeroDivisionError
        if item > 3:
            gate.wait(0.2)
        return item

    results = []
    with pytest.raises(ZeroDivisionError):
        for item, _ in map_ahead(work, range(1000), workers=1, depth=50):
            results.append(item)
    assert results == [0, 1, 2]
    count = len(begun)
    time.sleep(0.05)
    assert len(begun) == count < 60
