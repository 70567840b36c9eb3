"""The follower of an alias: it loads and warms the version behind the alias beside the current version, and then exchanges them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from time import monotonic

from flows.serving.app import Background, Parts
from flows.serving.live import Live
from tasks.project.local_state import NETWORKS
from tasks.registry.registry import ModelVersion, Registry
from tasks.registry.served_model import Wanted, find_number, read_served_model
from thaw.foundation.errors import RegistryError, ThawError
from thaw.foundation.parallel.ordered_map import usable_cores
from thaw.kinds.kind import Limits
from thaw.models.serving.classifier import Classifier, build_classifier
from thaw.models.serving.engines import EngineName

log = logging.getLogger(__name__)
LONGEST_PAUSE_S = 300.0

Load = Callable[[int], tuple[ModelVersion, Classifier]]
"""A function that reads and warms the version of a number; it is called in a thread."""


def loader(registry: Registry, engine: EngineName, limits: Limits) -> Load:
    """A function that loads versions from a registry."""

    def load(number: int) -> tuple[ModelVersion, Classifier]:
        served = read_served_model(registry, number)
        classifier = build_classifier(
            served.predictor, served.gallery, engine=engine, limits=limits, workers=usable_cores(), keep=NETWORKS
        )  # fmt: skip
        return served.version, classifier

    return load


class Follower:
    """Asks which version is wanted every `poll_s` seconds, and puts it onto the desk.

    A registry that does not answer, a deleted alias and a version that does not load leave the current version in service. A version that did not load is
    tried again at growing intervals.
    """

    def __init__(self, find: Callable[[], int], load: Load, parts: Parts, poll_s: float) -> None:
        self._find = find
        self._load = load
        self._parts = parts
        self._poll_s = poll_s
        self._said = ""
        self._failed: int | None = None
        self._pause_s = poll_s
        self._again = 0.0

    async def follow(self) -> None:
        """Check until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self._poll_s)

    async def look(self) -> None:
        """Check once, and exchange the version if the alias has moved."""
        number = await self._wanted()
        current = self._parts.desk.current
        if number is None or (current is not None and number == current.version.number):
            return
        if number == self._failed and monotonic() < self._again:
            return
        try:
            version, classifier = await asyncio.to_thread(self._load, number)
        except Exception as error:  # for any error of the new version, the current version stays
            self._remember(number, error)
            return
        self._failed, self._pause_s = None, self._poll_s
        self._parts.desk.put(Live(version, classifier, self._parts.limits, self._parts.metrics))
        self._parts.metrics.loads.labels("done").inc()
        self._parts.metrics.version.labels(version.name).set(version.number)
        log.info("%s version %d answers now, by %s", version.name, version.number, classifier.engine.name)

    async def _wanted(self) -> int | None:
        """The number of the version to serve; None if the registry gives no answer."""
        up = self._parts.metrics.registry_up
        try:
            number = await asyncio.to_thread(self._find)
        except Exception as error:  # for any error of the registry, the current version stays
            up.set(1 if isinstance(error, RegistryError) else 0)
            self._say(f"{error}; {self._meanwhile()}")
            return None
        up.set(1)
        if self._said:
            log.info("the registry answers again")
            self._said = ""
        return number

    def _remember(self, number: int, error: Exception) -> None:
        self._pause_s = min(LONGEST_PAUSE_S, 2 * self._pause_s) if number == self._failed else self._poll_s
        self._failed, self._again = number, monotonic() + self._pause_s
        self._parts.metrics.loads.labels("failed").inc()
        traceback = None if isinstance(error, ThawError) else error
        log.error("version %d cannot be loaded (%s); %s", number, error, self._meanwhile(), exc_info=traceback)

    def _say(self, sentence: str) -> None:
        """Log a new sentence; the same sentence is not repeated every few seconds."""
        if sentence != self._said:
            log.warning("%s", sentence)
        self._said = sentence

    def _meanwhile(self) -> str:
        current = self._parts.desk.current
        if current is None:
            return "it is tried again, and no model is served until then"
        return f"version {current.version.number} goes on answering"


def following(registry: Registry, name: Wanted, *, engine: EngineName, poll_s: float) -> Background:
    """The background of the application: a follower of the alias."""

    @asynccontextmanager
    async def background(parts: Parts) -> AsyncIterator[None]:
        load = loader(registry, engine, parts.limits.example)
        follower = Follower(lambda: find_number(registry, name), load, parts, poll_s)
        task = asyncio.create_task(follower.follow())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    return background
