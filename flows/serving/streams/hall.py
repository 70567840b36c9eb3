"""The places for streams, what listens to them, and how a stream ends."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from flows.serving.metrics import Metrics
from thaw.foundation.parallel.ordered_map import usable_cores
from thaw.models.listening.listener import Listener
from thaw.models.listening.trigger_model import TriggerModel

ENDED, UNSUPPORTED, INVALID, REFUSED, FULL = 1000, 1003, 1007, 1008, 1013
"""Codes of a close: RFC 6455, section 7.4.1, and IANA's registry."""


@dataclass(frozen=True)
class StreamLimits:
    """listeners: streams at once. message_bytes: of one message. idle_s: for the next message to come, and for one to be taken. hours: of a stream."""

    listeners: int = 8
    message_bytes: int = 2**16
    idle_s: float = 10
    hours: float = 24


class Closed(Exception):
    """The end of a stream by this server. why: its label in the metrics. The sentence has at most 123 bytes, as the protocol asks."""

    def __init__(self, code: int, why: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.why = code, why


@dataclass(eq=False)
class Hall:
    """The triggers, the places, and the threads in which streams are heard; it belongs to one event loop."""

    models: tuple[TriggerModel, ...]
    limits: StreamLimits
    metrics: Metrics
    listener: Listener
    """The listener of no stream, of which each stream gets a fresh one."""
    threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(usable_cores(), thread_name_prefix="listen")
    )
    _taken: int = 0

    @property
    def triggers(self) -> list[dict[str, str | float]]:
        """What is listened for, as JSON has it."""
        return [
            {"word": each.word, "threshold": each.promise.threshold, "promise": str(each.promise)}
            for each in self.models
        ]

    @contextmanager
    def entered(self) -> Iterator[None]:
        """A context that holds a place.

        Raises:
            Closed: no place is free.
        """
        if self._taken >= self.limits.listeners:
            raise Closed(FULL, "busy", f"all {self.limits.listeners} places for streams are taken; try again later")
        self._taken += 1
        self.metrics.listeners.inc()
        try:
            yield
        finally:
            self._taken -= 1
            self.metrics.listeners.dec()
