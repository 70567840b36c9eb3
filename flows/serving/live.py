"""The model that answers now, and its exchange without a dropped request."""

import asyncio
import gc
import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime

from flows.serving.batching import Batcher
from flows.serving.limits import Limits
from flows.serving.metrics import Metrics
from flows.serving.refusals import RETRY, Refused
from tasks.registry.registry import ModelVersion
from thaw.backbones.engines.engine import MICRO_BATCH
from thaw.foundation.errors import BadExample
from thaw.foundation.parallel.ordered_map import usable_cores
from thaw.kinds.batches import Batch
from thaw.kinds.kind import Kind
from thaw.models.serving.classifier import Classification, Classifier

log = logging.getLogger(__name__)


class Live:
    """A version at work: its classifier, its batches, and the number of requests that use it."""

    def __init__(self, version: ModelVersion, classifier: Classifier, limits: Limits, metrics: Metrics) -> None:
        self.version = version
        self.classifier = classifier
        self.loaded = datetime.now(UTC)
        self.places = {digest.hex(): row for row, digest in enumerate(_digests(classifier))}
        self.users = 0
        self._batcher: Batcher[Batch, Classification] = Batcher(
            classifier.say,
            most=2 * MICRO_BATCH,
            patience_s=limits.patience_s,
            workers=usable_cores(),
            gathered=metrics.batch_examples.observe,
        )

    @property
    def kind(self) -> Kind:
        """The kind of examples that its model takes."""
        return self.classifier.predictor.backbone.kind

    async def say(self, contents: Sequence[bytes], decoders: ThreadPoolExecutor) -> list[Classification | BadExample]:
        """What the model says of each example file, or why it cannot be used."""
        async with asyncio.TaskGroup() as group:
            pending = [group.create_task(self._say(content, decoders)) for content in contents]
        return [task.result() for task in pending]

    async def _say(self, content: bytes, decoders: ThreadPoolExecutor) -> Classification | BadExample:
        with self._batcher.announced():
            loop = asyncio.get_running_loop()
            try:
                example = await loop.run_in_executor(decoders, self.classifier.decode, content)
            except BadExample as error:
                return error
        return await self._batcher.ask(example)

    async def close(self) -> None:
        """Stop its threads."""
        await self._batcher.close()


def _digests(classifier: Classifier) -> Sequence[bytes]:
    return () if classifier.gallery is None else classifier.gallery.digests


class Desk:
    """Lends the current model to requests. A request keeps the model that it began with; an old model is freed when its last request ends."""

    def __init__(self) -> None:
        self.current: Live | None = None
        self._closing: set[asyncio.Task[None]] = set()

    @contextmanager
    def borrowed(self) -> Iterator[Live]:
        """A context with the current model, which is not freed within the context.

        Raises:
            Refused: no model is loaded yet.
        """
        live = self.current
        if live is None:
            raise Refused(503, "not_ready", "no model is loaded yet; try again in some seconds", headers=RETRY)
        live.users += 1
        try:
            yield live
        finally:
            live.users -= 1
            self._free(live)

    def put(self, live: Live | None) -> None:
        """Make a model current; None removes the current model."""
        former, self.current = self.current, live
        if former is not None:
            self._free(former)

    def _free(self, live: Live) -> None:
        if live is self.current or live.users > 0:
            return
        task = asyncio.create_task(_free(live))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Free the current model and all models that are being closed."""
        self.put(None)
        while self._closing:
            await asyncio.gather(*self._closing)


async def _free(live: Live) -> None:
    await live.close()
    log.info("%s version %d is no longer in use and is freed", live.version.name, live.version.number)
    del live
    await asyncio.to_thread(gc.collect)  # traced networks refer to themselves
