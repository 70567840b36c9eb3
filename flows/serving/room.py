"""Places for open requests; a request without a place is refused and may try again."""

from collections.abc import Iterator
from contextlib import contextmanager

from flows.serving.metrics import Metrics
from flows.serving.refusals import RETRY, Refused


class Room:
    """A fixed number of places for requests, within one event loop."""

    def __init__(self, places: int, metrics: Metrics) -> None:
        self._places = places
        self._taken = 0
        self._metrics = metrics

    @contextmanager
    def entered(self) -> Iterator[None]:
        """A context that holds a place.

        Raises:
            Refused: no place is free.
        """
        if self._taken >= self._places:
            sentence = f"{self._places} requests are under way already; try again in a second"
            raise Refused(503, "busy", sentence, headers=RETRY)
        self._taken += 1
        self._metrics.in_flight.inc()
        try:
            yield
        finally:
            self._taken -= 1
            self._metrics.in_flight.dec()
