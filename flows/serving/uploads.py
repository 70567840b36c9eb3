"""The examples of a request: the parts of a form, or the body itself. Names are repeated in the answer and never opened."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from flows.serving.limits import Limits
from flows.serving.refusals import Refused
from thaw.foundation.files.display_names import shortened

LONGEST_NAME = 200


@dataclass(frozen=True)
class Upload:
    """A file as it was sent. name: the client's name for it, safe to show; None: it has no name."""

    name: str | None
    content: bytes


async def read_uploads(request: Request, limits: Limits) -> list[Upload]:
    """Every example of a request, in order.

    Raises:
        Refused: the request is too large, too slow, of another content type, or empty.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        async with asyncio.timeout(limits.timeout_s):
            if kind == "multipart/form-data":
                return await _of_form(request, limits)
            if kind.startswith("image/"):
                return [await _of_body(request, limits)]
    except TimeoutError as error:
        raise Refused(
            408, "slow", f"the request did not come in within {limits.timeout_s:g} s; send fewer images at once"
        ) from error
    problem = f"the content type {shortened(kind, 80)} is not taken" if kind else "no content type is given"
    raise Refused(415, "kind", f"{problem}; send multipart/form-data, or the bytes of one image as image/*")


async def _of_body(request: Request, limits: Limits) -> Upload:
    content = b"".join([chunk async for chunk in _limited(request, limits)])
    if not content:
        raise Refused(422, "empty", "the request holds no image; send its bytes as the body")
    return Upload(None, content)


async def _of_form(request: Request, limits: Limits) -> list[Upload]:
    # Starlette gives up at the first file beyond the limit, so no further files are kept; files above 1 MB wait on the disk.
    parser = MultiPartParser(request.headers, _limited(request, limits), max_files=limits.images, max_fields=16)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise _refusal(error, limits) from error
    try:
        fields = form.multi_items()
        files = [value for _, value in fields if isinstance(value, UploadFile)]
        texts = [name for name, value in fields if not isinstance(value, UploadFile)]
        if texts:
            raise Refused(
                422, "empty", f"the field {shortened(texts[0], 80)!r} holds text and no file; with curl: -F images=@photo.jpg"
            )  # fmt: skip
        if not files:
            raise Refused(422, "empty", "the form holds no image; with curl: -F images=@photo.jpg")
        return [Upload(_name(file), await file.read()) for file in files]
    finally:
        await form.close()


def _refusal(error: MultiPartException, limits: Limits) -> Refused:
    if error.message.startswith("Too many files"):
        return Refused(
            413, "many_images", f"the request holds more than {limits.images} images; send them in several requests"
        )
    return Refused(400, "malformed", f"the form cannot be read: {error.message.rstrip('.')}")


def _name(file: UploadFile) -> str | None:
    return shortened(file.filename, LONGEST_NAME) if file.filename else None


async def _limited(request: Request, limits: Limits) -> AsyncGenerator[bytes, None]:
    """The body in chunks as they arrive; refused as soon as it exceeds the limit."""
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and int(stated) > limits.body_bytes:
        raise _too_large(limits)
    received = 0
    try:
        async for chunk in request.stream():
            received += len(chunk)
            if received > limits.body_bytes:
                raise _too_large(limits)
            yield chunk
    except ClientDisconnect as error:
        raise Refused(400, "gone", "the client went away before the request was whole") from error


def _too_large(limits: Limits) -> Refused:
    return Refused(
        413, "large_body", f"the request is larger than {limits.body_mb:g} MB; send fewer or smaller images at once"
    )
