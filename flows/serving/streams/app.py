"""The application that listens: a WebSocket for streams, a page with a microphone, and what programs ask of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Response, WebSocket
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from flows.serving.answers import Failure, State
from flows.serving.hosts import Hosts, KnownHosts
from flows.serving.metrics import Measured, Metrics
from flows.serving.refusals import explain_errors
from flows.serving.streams.hall import Hall, StreamLimits
from flows.serving.streams.stream import serve_stream
from thaw.features.sequences.network import rate_of
from thaw.models.listening.listener import Listener
from thaw.models.listening.trigger_model import TriggerModel
from thaw.models.serving.pages import GUARD, render_listening


class TriggerFacts(BaseModel):
    """What is promised of a trigger."""

    word: str
    threshold: float = Field(description="log-odds; a score above it is an event")
    promise: str = Field(description="the false accepts an hour")
    bound: float = Field(description="of false accepts an hour")
    confidence: float = Field(description="of the bound")


class ListeningFacts(BaseModel):
    """What is listened for."""

    triggers: list[TriggerFacts]
    rate: int = Field(description="the samples a second that are taken for granted where `rate` is not stated")
    listeners: int = Field(description="the most streams at once")
    message_bytes: int = Field(description="the most bytes of a message")


def build_listening_app(models: tuple[TriggerModel, ...], limits: StreamLimits, hosts: Hosts) -> FastAPI:
    """The application of some triggers on one network."""
    metrics, words = Metrics(), ", ".join(model.word for model in models)
    hall = Hall(models, limits, metrics, Listener(*models))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        hall.threads.shutdown(wait=False, cancel_futures=True)

    app = FastAPI(
        title="Thaw", description=f"Listens for {words} in streams of sound. `GET /listen` opens a WebSocket: samples in, events out.",
        version="1", lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None, responses={421: {"model": Failure}},
    )  # fmt: skip
    app.state.metrics = metrics
    explain_errors(app)
    _add_paths(app, hall)
    paths = frozenset({"/", "/docs", "/health", "/ready", "/trigger", "/metrics"})
    app.add_middleware(KnownHosts, hosts=hosts, metrics=metrics)
    app.add_middleware(Measured, metrics=metrics, paths=paths)
    return app


def _add_paths(app: FastAPI, hall: Hall) -> None:
    @app.websocket("/listen")
    async def listen(socket: WebSocket) -> None:
        await serve_stream(socket, hall)

    @app.get("/health", response_model=State)
    async def health() -> State:
        """Report that the process lives."""
        return State(status="alive")

    @app.get("/ready", response_model=State)
    async def ready() -> State:
        """Report that streams are taken."""
        return State(status="ready")

    @app.get("/trigger", response_model=ListeningFacts)
    async def trigger() -> ListeningFacts:
        """What is listened for, and what is promised of it."""
        return facts_of(hall)

    @app.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics() -> Response:
        """Figures for Prometheus."""
        return Response(hall.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/", include_in_schema=False)
    @app.get("/docs", include_in_schema=False)
    async def page() -> HTMLResponse:
        return HTMLResponse(render_listening(hall.triggers), headers=GUARD)


def facts_of(hall: Hall) -> ListeningFacts:
    triggers = [
        TriggerFacts(
            word=model.word,
            threshold=model.promise.threshold,
            promise=str(model.promise),
            bound=model.promise.bound,
            confidence=model.promise.budget.confidence,
        )
        for model in hall.models
    ]
    return ListeningFacts(
        triggers=triggers,
        rate=rate_of(hall.models[0].backbone),
        listeners=hall.limits.listeners,
        message_bytes=hall.limits.message_bytes,
    )
