"""The application: its paths, with the requests and answers of each."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any

from fastapi import FastAPI, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic_core import to_json

from flows.serving.answers import ExampleAnswer, Failure, ModelFacts, Prediction, State, Unusable
from flows.serving.document import UNKNOWN, Terms, terms_of, worded_document
from flows.serving.hosts import Hosts, KnownHosts
from flows.serving.limits import Limits
from flows.serving.live import Desk, Live
from flows.serving.metrics import Measured, Metrics
from flows.serving.refusals import RETRY, Refused, explain_errors
from flows.serving.room import Room
from flows.serving.uploads import JSON, Upload, read_uploads
from flows.serving.wording import data_url, facts_of, neighbours_of, worded
from thaw.foundation.errors import BadExample
from thaw.foundation.parallel.ordered_map import usable_cores
from thaw.kinds.kind import Kind, Preview
from thaw.models.explaining import MOST_ANSWERS
from thaw.models.explanation import Explanation
from thaw.models.serving.classifier import Classification
from thaw.models.serving.pages import GUARD, Trial, render_docs, render_page

MOST_NEIGHBOURS = 20
DRAWINGS = "image/png"
"""The media type of drawings."""
DESCRIPTION = """\
Labels {many} by the model that has the alias `champion`. `POST /predict` takes one {one} or several; every error is `{"error": SENTENCE}`.
"""
_EXAMPLE = {"type": "string", "format": "binary"}
_BODY = {
    "required": True,
    "description": "{bodies}: a form has one {one} or several, whatever the fields are called; bytes are one {one}.",
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["{key}"],
                "properties": {"{key}": {"type": "array", "items": _EXAMPLE, "minItems": 1}},
            },
            "encoding": {"{key}": {"contentType": "{media_type}"}},
        },
        JSON: {
            "schema": {
                "type": "object",
                "required": ["{key}"],
                "additionalProperties": False,
                "properties": {"{key}": {"type": "array", "items": {"type": "string"}, "minItems": 1}},
            },
            "example": {"{key}": ["A first {one}.", "A second {one}."]},
        },
        "{media_type}": {"schema": _EXAMPLE},
    },
}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Failure, "description": "the body cannot be read"},
    408: {"model": Failure, "description": "the request did not come in within the time limit"},
    413: {"model": Failure, "description": "too many bytes, or too many {many}"},
    415: {"model": Failure, "description": "another content type than {bodies}"},
    422: {"model": Unusable | Failure, "description": "no {one} of the request can be used, or it holds none"},
    503: {
        "model": Failure,
        "description": "no model is loaded yet, too many requests are under way, or the answer took too long",
        "headers": {"Retry-After": {"schema": {"type": "integer"}, "description": "seconds to wait"}},
    },
}
_NOT_READY: dict[int | str, dict[str, Any]] = {503: _REFUSALS[503] | {"description": "no model is loaded yet"}}
Background = Callable[["Parts"], AbstractAsyncContextManager[None]]
"""A context that runs beside the requests as long as the application; it puts models onto the desk."""


@dataclass(frozen=True, eq=False)
class Parts:
    """The parts of the application; all of them belong to one event loop."""

    limits: Limits
    asked_for: str
    hosts: Hosts = field(default_factory=Hosts)
    desk: Desk = field(default_factory=Desk)
    metrics: Metrics = field(default_factory=Metrics)
    decoders: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(usable_cores(), thread_name_prefix="decode")
    )
    explainers: ThreadPoolExecutor = field(
        # Explanations cost many answers each, so they take turns, and leave the other cores to answers.
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="explain")
    )

    @cached_property
    def room(self) -> Room:
        """The places for open requests."""
        return Room(self.limits.in_flight, self.metrics)

    @property
    def terms(self) -> Terms:
        """The terms of the model that answers now."""
        live = self.desk.current
        return UNKNOWN if live is None else terms_of(live.kind)


def build_app(parts: Parts, background: Background) -> FastAPI:
    """The application; before a model is loaded, it answers that it is not ready."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with background(parts):
            yield
        await parts.desk.close()
        for pool in (parts.decoders, parts.explainers):
            pool.shutdown(wait=False, cancel_futures=True)

    app = FastAPI(
        title="Thaw", description=DESCRIPTION, version="1", lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None,
        responses={
            405: {"model": Failure, "description": "another method is taken here"},
            421: {"model": Failure, "description": "the name in `Host` is none of this server's"},
        },
    )  # fmt: skip
    app.state.metrics = parts.metrics
    explain_errors(app)
    _add_predict(app, parts)
    _add_states(app, parts)
    _add_pages(app, parts)
    paths = frozenset({*app.openapi()["paths"], "/", "/docs", "/openapi.json", "/gallery"})
    app.add_middleware(KnownHosts, hosts=parts.hosts, metrics=parts.metrics)
    app.add_middleware(Measured, metrics=parts.metrics, paths=paths)
    return app


def _add_predict(app: FastAPI, parts: Parts) -> None:
    @app.post(
        "/predict",
        response_model=Prediction,
        response_description="an answer to each {one}",
        responses=_REFUSALS,
        openapi_extra={"requestBody": _BODY},
    )
    async def predict(
        request: Request,
        nearest: Annotated[
            int, Query(ge=0, le=MOST_NEIGHBOURS, description="how many of the most similar training {many} to name")
        ] = 0,
        explain: Annotated[
            bool,
            Query(
                description="whether to say what in each {one} speaks for the answer; it costs up to "
                f"{MOST_ANSWERS} answers, and `explains` of `GET /model` says "
                "whether that can be said"
            ),
        ] = False,
        drawing: Annotated[
            bool, Query(description="whether to draw each {one}, where it cannot be seen, such as a sound")
        ] = False,
    ) -> Response:
        """Label {many}.

        Each {one} that cannot be used gets a `reason`, and the others are answered all the same. If none can be used, the status is 422.
        """
        with parts.room.entered(), parts.desk.borrowed() as live:
            uploads = await read_uploads(request, parts.limits, live.kind)
            classifications = await _classify(live, uploads, parts)
            explanations = await _explained(live, uploads, classifications, parts) if explain else [None] * len(uploads)
            # The search for neighbours takes long enough to delay other requests; the wording of an answer does not.
            answers = (
                await asyncio.to_thread(_answers, live, uploads, classifications, explanations, nearest)
                if nearest
                else _answers(live, uploads, classifications, explanations, 0)
            )
            if drawing:
                answers = await _drawn(live, uploads, answers, parts)
        usable = sum(answer.reason is None for answer in answers)
        parts.metrics.examples.labels("answered").inc(usable)
        parts.metrics.examples.labels("unusable").inc(len(answers) - usable)
        if usable == 0:
            raise Refused(422, "unusable", _why_none(answers, live.kind), reasons={live.kind.name: answers})
        body = {"model": live.version.name, "version": live.version.number, live.kind.name: answers}
        return Response(to_json(body, exclude_none=True), media_type="application/json")


async def _classify(live: Live, uploads: Sequence[Upload], parts: Parts) -> list[Classification | BadExample]:
    async with _in_time(live, parts.limits):
        return await live.say([upload.content for upload in uploads], parts.decoders)


async def _explained(
    live: Live, uploads: Sequence[Upload], classifications: Sequence[Classification | BadExample], parts: Parts
) -> list[Explanation | None]:
    loop = asyncio.get_running_loop()
    async with _in_time(live, parts.limits):
        return [
            None
            if isinstance(classification, BadExample)
            else await loop.run_in_executor(parts.explainers, live.classifier.explain, upload.content)
            for upload, classification in zip(uploads, classifications, strict=True)
        ]


async def _drawn(
    live: Live, uploads: Sequence[Upload], answers: Sequence[ExampleAnswer], parts: Parts
) -> list[ExampleAnswer]:
    """The answers with the drawings of usable examples."""

    def draw(content: bytes) -> str | None:
        drawing = live.kind.preview(content, parts.limits.example).drawing
        return None if drawing is None else data_url(DRAWINGS, drawing)

    loop, drawn = asyncio.get_running_loop(), list[ExampleAnswer]()
    async with _in_time(live, parts.limits):
        for upload, answer in zip(uploads, answers, strict=True):
            usable = answer.reason is None
            address = await loop.run_in_executor(parts.decoders, draw, upload.content) if usable else None
            drawn.append(answer.model_copy(update={"drawing": address}))
    return drawn


@asynccontextmanager
async def _in_time(live: Live, limits: Limits) -> AsyncIterator[None]:
    """A context for the work of a model, with the limit on its time."""
    try:
        async with asyncio.timeout(limits.timeout_s):
            yield
    except TimeoutError as error:
        sentence = f"there was no answer within {limits.timeout_s:g} s; try again, or send fewer {live.kind.words.many} at once"
        raise Refused(503, "late", sentence, headers=RETRY) from error


def _answers(
    live: Live,
    uploads: Sequence[Upload],
    classifications: Sequence[Classification | BadExample],
    explanations: Sequence[Explanation | None],
    nearest: int,
) -> list[ExampleAnswer]:
    answers = []
    for upload, classification, explanation in zip(uploads, classifications, explanations, strict=True):
        if isinstance(classification, BadExample):
            answers.append(ExampleAnswer(name=upload.name, reason=str(classification)))
        else:
            neighbours = neighbours_of(live.classifier, classification, nearest) if nearest else None
            answers.append(worded(upload.name, classification, live.classifier.class_names, neighbours, explanation))
    return answers


def _why_none(answers: Sequence[ExampleAnswer], kind: Kind) -> str:
    if len(answers) == 1:
        return f"the {kind.words.one} cannot be used: it {answers[0].reason}"
    return f"none of the {len(answers)} {kind.words.many} can be used; `{kind.name}` says why for each"


def _add_states(app: FastAPI, parts: Parts) -> None:
    @app.get("/health", response_model=State)
    async def health() -> State:
        """Report that the process lives."""
        return State(status="alive")

    @app.get("/ready", response_model=State, responses=_NOT_READY)
    async def ready() -> State:
        """Report whether a model is loaded and warm."""
        with parts.desk.borrowed():
            return State(status="ready")

    @app.get("/model", response_model=ModelFacts, responses=_NOT_READY)
    async def model() -> ModelFacts:
        """The version that answers, its classes and its tags."""
        with parts.desk.borrowed() as live:
            return facts_of(live, parts.asked_for)

    @app.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics() -> Response:
        """Figures for Prometheus."""
        return Response(parts.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _add_pages(app: FastAPI, parts: Parts) -> None:
    previews: dict[int | str, dict[str, Any]] = {200: {"content": {"*/*": {}}, "description": "the preview"}}
    refusals: dict[int | str, dict[str, Any]] = {
        404: {"model": Failure, "description": "the version that answers has no such {one}"},
        422: {"model": Failure, "description": "that is no digest"},
        **_NOT_READY,
    }

    drawings: dict[int | str, dict[str, Any]] = {200: {"content": {"*/*": {}}, "description": "the drawing, PNG"}}

    def preview_of(digest: str) -> Preview:
        with parts.desk.borrowed() as live:
            gallery, row = live.classifier.gallery, live.places.get(digest)
            if gallery is None or row is None:
                raise Refused(404, "gone", f"the gallery of the version that answers has no such {live.kind.words.one}")
            return gallery.previews[row]

    @app.get("/gallery/{digest}", response_class=Response, responses={**previews, **refusals})
    async def thumbnail(digest: _DIGEST) -> Response:
        """The preview of a training {one}, as `nearest` names it."""
        preview = preview_of(digest)
        return Response(preview.content, media_type=preview.media_type, headers=_KEPT)

    @app.get("/gallery/{digest}/drawing", response_class=Response, responses={**drawings, **refusals})
    async def drawing(digest: _DIGEST) -> Response:
        """The drawing of a training {one} whose preview cannot be seen, as `nearest` names it."""
        found = preview_of(digest).drawing
        if found is None:
            raise Refused(404, "gone", "there is no drawing of it, because its preview can be seen")
        return Response(found, media_type=DRAWINGS, headers=_KEPT)

    @app.get("/", include_in_schema=False)
    async def page() -> HTMLResponse:
        terms, limits = parts.terms, parts.limits
        trial = Trial(
            terms.words,
            terms.media_types,
            limits.examples,
            limits.body_mb,
            shows_examples=terms.shows_examples,
            can_be_typed=terms.can_be_typed,
            can_be_recorded=terms.can_be_recorded,
            part_names=terms.part_names,
            map_words=terms.map_words,
        )
        return HTMLResponse(render_page(trial), headers=GUARD)

    @app.get("/openapi.json", include_in_schema=False)
    async def document() -> JSONResponse:
        return JSONResponse(worded_document(app.openapi(), parts.terms))

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        terms = parts.terms
        page = render_docs(worded_document(app.openapi(), terms), terms.words, terms.key, terms.media_types)
        return HTMLResponse(page, headers=GUARD)


_DIGEST = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="BLAKE3 of the file, hex")]
_KEPT = {"Cache-Control": "max-age=86400, immutable", "X-Content-Type-Options": "nosniff"}
