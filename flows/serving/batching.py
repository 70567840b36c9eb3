"""Micro-batches: examples that arrive at about the same time go through the network together."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Batcher(Generic[Item, Answer]):
    """Gathers items into batches of at most `most`, and answers them in threads; for use within one event loop.

    A batch begins once a thread is free, so under load it fills by itself. It waits for more items only while items are announced, and no longer than
    `patience_s`, so a lone request loses nothing. `gathered` gets the size of each batch.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[Item]], Sequence[Answer]],
        *,
        most: int,
        patience_s: float,
        workers: int,
        gathered: Callable[[int], object] = lambda size: None,
    ) -> None:
        self._answer = answer
        self._most = most
        self._patience_s = patience_s
        self._gathered = gathered
        self._announced = 0
        self._queue: asyncio.Queue[tuple[Item, asyncio.Future[Answer]]] = asyncio.Queue()
        self._free = asyncio.Semaphore(workers)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="answer")
        self._batches: set[asyncio.Task[None]] = set()
        self._gatherer = asyncio.create_task(self._gather())

    @contextmanager
    def announced(self) -> Iterator[None]:
        """A context in which an item is on its way, so that a batch may wait for it."""
        self._announced += 1
        try:
            yield
        finally:
            self._announced -= 1

    async def ask(self, item: Item) -> Answer:
        """The answer to one item, as part of a batch; an exception of the batch is raised for each of its items."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((item, future))
        return await future

    async def close(self) -> None:
        """Stop the threads; no caller may be waiting for an answer any more."""
        self._gatherer.cancel()
        await asyncio.gather(self._gatherer, *self._batches, return_exceptions=True)
        self._pool.shutdown(wait=False)

    async def _gather(self) -> None:
        while True:
            head = await self._queue.get()
            await self._free.acquire()
            batch = [entry for entry in [head, *await self._more()] if not entry[1].cancelled()]
            if not batch:
                self._free.release()
                continue
            task = asyncio.create_task(self._run(batch))
            self._batches.add(task)
            task.add_done_callback(self._batches.discard)

    async def _more(self) -> list[tuple[Item, "asyncio.Future[Answer]"]]:
        """The further items of a batch that has its first item."""
        more: list[tuple[Item, asyncio.Future[Answer]]] = []
        until = monotonic() + self._patience_s
        while len(more) + 1 < self._most:
            if not self._queue.empty():
                more.append(self._queue.get_nowait())
                continue
            remaining_s = until - monotonic()
            if self._announced == 0 or remaining_s <= 0:
                break
            try:
                async with asyncio.timeout(remaining_s):
                    more.append(await self._queue.get())
            except TimeoutError:
                break
        return more

    async def _run(self, batch: list[tuple[Item, "asyncio.Future[Answer]"]]) -> None:
        self._gathered(len(batch))
        loop = asyncio.get_running_loop()
        try:
            answers = await loop.run_in_executor(self._pool, self._answer, [item for item, _ in batch])
        except Exception as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
        else:
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)
        finally:
            self._free.release()
