"""The examples of a request: the parts of a form, strings of JSON, or the body itself. Names are repeated in the answer and never opened."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch

from fastapi import Request
from pydantic_core import from_json
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from flows.serving.limits import Limits
from flows.serving.refusals import Refused
from thaw.foundation.files.display_names import shortened
from thaw.kinds.kind import Kind, Words

LONGEST_NAME = 200
FORM, JSON = "multipart/form-data", "application/json"
"""Content types of requests, beside those of single examples."""


@dataclass(frozen=True)
class Upload:
    """An example as it was sent. name: the client's name for it, safe to show; None: it has no name."""

    name: str | None
    content: bytes


async def read_uploads(request: Request, limits: Limits, kind: Kind) -> list[Upload]:
    """Every example of a request, in order. kind: what the model takes.

    Raises:
        Refused: the request is too large, too slow, of another content type, or empty.
    """
    given, words = request.headers.get("content-type", "").partition(";")[0].strip().lower(), kind.words
    try:
        async with asyncio.timeout(limits.timeout_s):
            if given == FORM:
                return await _of_form(request, limits, words)
            if given == JSON and kind.can_be_typed:
                return await _of_json(request, limits, kind)
            if any(fnmatch(given, taken) for taken in kind.media_types):
                return [await _of_body(request, limits, words)]
    except TimeoutError as error:
        raise Refused(
            408, "slow", f"the request did not come in within {limits.timeout_s:g} s; send fewer {words.many} at once"
        ) from error
    problem = f"the content type {shortened(given, 80)} is not taken" if given else "no content type is given"
    ways = [FORM, *([f"JSON such as {_json(kind)}"] if kind.can_be_typed else [])]
    raise Refused(
        415, "kind", f"{problem}; send {', '.join(ways)}, or the bytes of one {words.one} as {kind.media_types[-1]}"
    )


def listed(content_types: Sequence[str]) -> str:
    """Content types in a sentence."""
    *others, last = content_types
    return f"{', '.join(others)} or {last}" if others else last


async def _of_body(request: Request, limits: Limits, words: Words) -> Upload:
    content = await _whole(request, limits, words)
    if not content:
        raise Refused(422, "empty", f"the request holds no {words.one}; send its bytes as the body")
    return Upload(None, content)


async def _of_json(request: Request, limits: Limits, kind: Kind) -> list[Upload]:
    words, content = kind.words, await _whole(request, limits, kind.words)
    try:
        body = from_json(content)
    except ValueError as error:
        raise Refused(400, "malformed", f"the body is no JSON ({error}); send JSON such as {_json(kind)}") from error
    typed = body.get(kind.name) if isinstance(body, dict) and len(body) == 1 else None
    if not isinstance(typed, list):
        raise Refused(422, "empty", f"the body is JSON of another form; send {_json(kind)}, and nothing else in it")
    if not typed:
        raise Refused(422, "empty", f"the request holds no {words.one}; send {_json(kind)}")
    if len(typed) > limits.examples:
        raise _too_many(limits, words)
    if odd := next((place for place, each in enumerate(typed, 1) if not isinstance(each, str)), None):
        raise Refused(422, "form", f"entry {odd} of `{kind.name}` is no string; send {_json(kind)}")
    return [Upload(None, each.encode()) for each in typed]


def _json(kind: Kind) -> str:
    return json.dumps({kind.name: ["..."]})


async def _of_form(request: Request, limits: Limits, words: Words) -> list[Upload]:
    # Starlette gives up at the first file beyond the limit, so no further files are kept; files above 1 MB wait on the disk.
    parser = MultiPartParser(
        request.headers, _limited(request, limits, words), max_files=limits.examples, max_fields=16
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise _refusal(error, limits, words) from error
    try:
        fields = form.multi_items()
        files = [value for _, value in fields if isinstance(value, UploadFile)]
        texts = [name for name, value in fields if not isinstance(value, UploadFile)]
        if texts:
            raise Refused(
                422, "empty", f"the field {shortened(texts[0], 80)!r} holds text and no file; with curl: {_form(words)}"
            )  # fmt: skip
        if not files:
            raise Refused(422, "empty", f"the form holds no {words.one}; with curl: {_form(words)}")
        return [Upload(_name(file), await file.read()) for file in files]
    finally:
        await form.close()


def _form(words: Words) -> str:
    return f"-F {words.many}=@{words.sample_name}"


def _refusal(error: MultiPartException, limits: Limits, words: Words) -> Refused:
    if error.message.startswith("Too many files"):
        return _too_many(limits, words)
    return Refused(400, "malformed", f"the form cannot be read: {error.message.rstrip('.')}")


def _name(file: UploadFile) -> str | None:
    return shortened(file.filename, LONGEST_NAME) if file.filename else None


async def _whole(request: Request, limits: Limits, words: Words) -> bytes:
    return b"".join([chunk async for chunk in _limited(request, limits, words)])


async def _limited(request: Request, limits: Limits, words: Words) -> AsyncGenerator[bytes, None]:
    """The body in chunks as they arrive; refused as soon as it exceeds the limit."""
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and int(stated) > limits.body_bytes:
        raise _too_large(limits, words)
    received = 0
    try:
        async for chunk in request.stream():
            received += len(chunk)
            if received > limits.body_bytes:
                raise _too_large(limits, words)
            yield chunk
    except ClientDisconnect as error:
        raise Refused(400, "gone", "the client went away before the request was whole") from error


def _too_many(limits: Limits, words: Words) -> Refused:
    return Refused(
        413,
        "many_examples",
        f"the request holds more than {limits.examples} {words.many}; send them in several requests",
    )


def _too_large(limits: Limits, words: Words) -> Refused:
    return Refused(
        413,
        "large_body",
        f"the request is larger than {limits.body_mb:g} MB; send fewer or smaller {words.many} at once",
    )
