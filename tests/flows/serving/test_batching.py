"""Micro-batches: who comes together goes together, a lone item waits for nobody, and an error reaches all of its batch."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence

import pytest

from flows.serving.batching import Batcher

Work = Callable[[Sequence[int]], Sequence[int]]


def within(
    test: Callable[["Batcher[int, int]"], Awaitable[object]], answer: Work, *, patience_s: float = 5, workers: int = 1
) -> list[int]:
    """Run a test with a batcher; returns the sizes of its batches."""
    sizes: list[int] = []

    async def run() -> None:
        batcher = Batcher(answer, most=4, patience_s=patience_s, workers=workers, gathered=sizes.append)
        try:
            async with asyncio.timeout(60):
                await test(batcher)
        finally:
            await batcher.close()

    asyncio.run(run())
    return sizes


def doubled(items: Sequence[int]) -> list[int]:
    return [2 * item for item in items]


def test_a_lone_item_waits_for_nobody() -> None:
    async def test(batcher: Batcher[int, int]) -> None:
        start = time.monotonic()
        assert await batcher.ask(3) == 6
        assert time.monotonic() - start < 2, "the patience is 5 s"

    assert within(test, doubled) == [1]


def test_announced_items_are_waited_for_and_answered_together() -> None:
    async def late(batcher: Batcher[int, int], item: int) -> int:
        with batcher.announced():
            await asyncio.sleep(0.05 * item)
        return await batcher.ask(item)

    async def test(batcher: Batcher[int, int]) -> None:
        assert await asyncio.gather(*(late(batcher, item) for item in range(3))) == [0, 2, 4]

    assert within(test, doubled) == [3]


def test_patience_ends() -> None:
    async def test(batcher: Batcher[int, int]) -> None:
        with batcher.announced():
            assert await batcher.ask(1) == 2

    assert within(test, doubled, patience_s=0.05) == [1]


def test_while_all_threads_are_at_work_the_next_batch_fills_up_to_its_size() -> None:
    free = threading.Event()

    def slow(items: Sequence[int]) -> list[int]:
        assert free.wait(30)
        return doubled(items)

    async def test(batcher: Batcher[int, int]) -> None:
        first = asyncio.create_task(batcher.ask(0))
        await asyncio.sleep(0.05)
        rest = [asyncio.create_task(batcher.ask(item)) for item in range(1, 7)]
        await asyncio.sleep(0.05)
        free.set()
        assert await asyncio.gather(first, *rest) == [0, 2, 4, 6, 8, 10, 12]

    assert within(test, slow, patience_s=0) == [1, 4, 2]


def test_an_error_reaches_every_item_of_its_batch_and_no_other() -> None:
    def picky(items: Sequence[int]) -> list[int]:
        if 13 in items:
            raise ZeroDivisionError
        return doubled(items)

    async def test(batcher: Batcher[int, int]) -> None:
        found = await asyncio.gather(batcher.ask(13), batcher.ask(1), return_exceptions=True)
        assert [type(one) for one in found] == [ZeroDivisionError, ZeroDivisionError]
        assert await batcher.ask(2) == 4

    within(test, picky, patience_s=0)


def test_who_no_longer_waits_is_not_computed() -> None:
    seen: list[int] = []
    free = threading.Event()

    def slow(items: Sequence[int]) -> list[int]:
        assert free.wait(30)
        seen.extend(items)
        return doubled(items)

    async def test(batcher: Batcher[int, int]) -> None:
        first = asyncio.create_task(batcher.ask(1))
        await asyncio.sleep(0.05)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await batcher.ask(2)
        free.set()
        assert await first == 2
        assert await batcher.ask(3) == 6

    within(test, slow, patience_s=0)
    assert seen == [1, 3]
