"""Refused requests: a status, and one plain sentence as JSON."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic_core import to_json
from starlette.exceptions import HTTPException

from flows.serving.answers import ExampleAnswer, Failure

log = logging.getLogger(__name__)
RETRY = {"Retry-After": "1"}
"""The headers of a refusal that may pass: all places taken, a model still loading, an answer that took too long."""


class Refused(Exception):
    """A request that gets no answer. `why` is its label in the metrics; `reasons` has the answer to each unusable example, below its key."""

    def __init__(
        self,
        status: int,
        why: str,
        sentence: str,
        *,
        headers: Mapping[str, str] | None = None,
        reasons: Mapping[str, Sequence[ExampleAnswer]] | None = None,
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.why = why
        self.headers = dict(headers or {})
        self.reasons = dict(reasons or {})


def explain_errors(app: FastAPI) -> None:
    """Answer every error with `{"error": SENTENCE}`."""

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> Response:
        app.state.metrics.rejected.labels(error.why).inc()
        body = to_json({"error": str(error), **error.reasons}, exclude_none=True)
        return Response(body, error.status, error.headers, media_type="application/json")

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        return _failure(error.status_code, _sentence(request, error), error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        wrong = "; ".join(
            f"{problem['loc'][-1]}: {problem['msg'][0].lower()}{problem['msg'][1:]}" for problem in error.errors()
        )
        return _failure(HTTPStatus.UNPROCESSABLE_ENTITY, f"the request is not allowed: {wrong}")

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> JSONResponse:
        return _failure(
            500, "the server failed on this request; its log has the reason, and the next request may succeed"
        )


def _failure(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(Failure(error=sentence).model_dump(), status, dict(headers or {}))


def _sentence(request: Request, error: HTTPException) -> str:
    if error.status_code == HTTPStatus.NOT_FOUND and error.detail == HTTPStatus.NOT_FOUND.phrase:
        return f"there is nothing at {request.url.path}; /docs lists the paths"
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "another method")
        return f"{request.method} is not allowed at {request.url.path}; {allowed} is"
    return str(error.detail)
