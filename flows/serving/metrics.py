"""The figures for Prometheus: `GET /metrics`."""

from time import perf_counter
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import generate_latest

_LATENCIES = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_SIZES = (1, 2, 4, 8, 16)


class Metrics:
    """The figures of one server, in a separate registry."""

    def __init__(self) -> None:
        own = self.registry = CollectorRegistry()
        ProcessCollector(registry=own)
        self.requests = Counter(
            "thaw_requests", "Requests by path, method and status.", ["path", "method", "status"], registry=own
        )
        self.seconds = Histogram(
            "thaw_request_seconds",
            "From the headers to the last byte of the answer.",
            ["path"],
            buckets=_LATENCIES,
            registry=own,
        )
        self.in_flight = Gauge("thaw_in_flight", "Requests to /predict that are under way.", registry=own)
        self.examples = Counter(
            "thaw_examples", "Examples by what became of them: answered, unusable.", ["outcome"], registry=own
        )
        self.batch_examples = Histogram(
            "thaw_batch_examples", "Examples that went through the network together.", buckets=_SIZES, registry=own
        )
        self.rejected = Counter("thaw_rejected", "Requests that were refused, by reason.", ["reason"], registry=own)
        self.version = Gauge("thaw_model_version", "The version that answers.", ["model"], registry=own)
        self.loads = Counter(
            "thaw_model_loads", "Versions that were loaded or failed to load.", ["outcome"], registry=own
        )
        self.registry_up = Gauge(
            "thaw_registry_up", "1: the model registry answered when it was last asked.", registry=own
        )

        self.listeners = Gauge("thaw_listeners", "Streams that are listened to.", registry=own)
        self.heard_seconds = Counter("thaw_heard_seconds", "Seconds of sound in streams.", registry=own)
        self.heard_events = Counter("thaw_heard_events", "Events that were heard in streams.", registry=own)

    def text(self) -> bytes:
        """All figures, in Prometheus's text format."""
        return generate_latest(self.registry)


class Measured:
    """ASGI middleware that counts and times every request; requests to unknown paths share one count, `other`."""

    def __init__(self, app: Any, metrics: Metrics, paths: frozenset[str]) -> None:
        self._app = app
        self._metrics = metrics
        self._paths = paths

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status = perf_counter(), "500"

        async def noting_status(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, noting_status)
        finally:
            path = "/gallery" if scope["path"].startswith("/gallery/") else scope["path"]
            path = path if path in self._paths else "other"
            self._metrics.seconds.labels(path).observe(perf_counter() - start)
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.requests.labels(path, method, status).inc()


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
