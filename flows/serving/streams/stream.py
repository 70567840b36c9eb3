"""One stream: plain samples in, events out, within limits.

A client sends samples of 16 bits, one channel, little-endian, in binary messages, and the text `end` after the last one. It gets JSON: `ready` with the
triggers that are listened for, `event` as soon as one is heard, and `end`. With `?scores=true` each message is answered with `heard`: the score that is
highest above its trigger's threshold. Whatever else ends a stream, the reason of
the close says what and what to do.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect

from flows.serving.streams.hall import ENDED, INVALID, REFUSED, UNSUPPORTED, Closed, Hall
from thaw.models.listening.listener import Heard
from thaw.models.listening.plain_samples import BYTES, SampleListener

END = "end"
LEAST_RATE, MOST_RATE = 4_000, 192_000


async def serve_stream(socket: WebSocket, hall: Hall) -> None:
    """Listen until the stream ends."""
    await socket.accept()
    code, sentence = ENDED, "the stream is at its end"
    try:
        try:
            with hall.entered():
                await _Stream(socket, hall).listen()
        except Closed as end:
            hall.metrics.rejected.labels(end.why).inc()
            code, sentence = end.code, str(end)
        await socket.close(code, sentence)
    except WebSocketDisconnect:
        pass  # whoever sent it is gone


class _Stream:
    def __init__(self, socket: WebSocket, hall: Hall) -> None:
        self._socket, self._hall, self._limits = socket, hall, hall.limits
        self._rate = _rate(socket, hall.listener.rate)
        self._scored = socket.query_params.get("scores") == "true"
        self._events = 0

    async def listen(self) -> None:
        """See `serve_stream`.

        Raises:
            Closed: the client kept to no limit, or sent something else.
            WebSocketDisconnect: the client is gone.
        """
        hours = self._limits.hours
        long = Closed(REFUSED, "long", f"a stream lasts {hours:g} hours at most; open another one")
        async with _within(hours * 3600, long):
            listener = SampleListener(self._hall.listener.fresh(), self._rate)
            await self._send({"type": "ready", "rate": self._rate, "triggers": self._hall.triggers})
            while (content := await self._next()) is not None:
                await self._tell(await self._threaded(partial(listener.feed, content)), listener.seconds)
                self._hall.metrics.heard_seconds.inc(len(content) / BYTES / self._rate)
                if listener.seconds > 3600 * hours:
                    raise long
            await self._tell(await self._threaded(listener.end), listener.seconds)
            await self._send({"type": "end", "seconds": round(listener.seconds, 3), "events": self._events})

    async def _next(self) -> bytes | None:
        """The next samples; None: the client has no more."""
        seconds = self._limits.idle_s
        async with _within(seconds, Closed(REFUSED, "idle", f"nothing came for {seconds:g} s; open another stream")):
            message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message["code"])
        content: bytes | None = message.get("bytes")
        if content is None and message.get("text") == END:
            return None
        if content is None:
            raise Closed(UNSUPPORTED, "media_type", f"samples come in binary messages, and the only text is `{END}`")
        if not content or len(content) % BYTES:
            raise Closed(INVALID, "unusable", "a message holds whole samples of 16 bits, one at least")
        return content

    async def _tell(self, heard: Heard, seconds: float) -> None:
        for event in heard.events:
            await self._send({"type": "event", **vars(event)})
            self._hall.metrics.heard_events.inc()
        self._events += len(heard.events)
        if self._scored:
            word, score = self._highest(heard)
            await self._send({"type": "heard", "seconds": round(seconds, 3), "word": word, "score": score})

    def _highest(self, heard: Heard) -> tuple[str | None, float | None]:
        """The trigger whose score is highest above its threshold, and that score."""
        if not len(heard.scores):
            return None, None
        highest = heard.scores.amax(0).tolist()
        above = [score - model.promise.threshold for score, model in zip(highest, self._hall.models, strict=True)]
        place = above.index(max(above))
        return self._hall.models[place].word, highest[place]

    async def _send(self, message: dict[str, Any]) -> None:
        seconds = self._limits.idle_s
        async with _within(seconds, Closed(REFUSED, "slow", f"no message was taken for {seconds:g} s")):
            await self._socket.send_json(message)

    async def _threaded(self, work: Callable[[], Heard]) -> Heard:
        return await asyncio.get_running_loop().run_in_executor(self._hall.threads, work)


@asynccontextmanager
async def _within(seconds: float, error: Closed) -> AsyncIterator[None]:
    """A context that ends with an error after so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as late:
        raise error from late


def _rate(socket: WebSocket, usual: int) -> int:
    """The samples a second that a client states with `?rate=`; the network's own if it states none."""
    stated = socket.query_params.get("rate", str(usual))
    if stated.isascii() and stated.isdigit() and len(stated) < 7 and LEAST_RATE <= int(stated) <= MOST_RATE:
        return int(stated)
    raise Closed(REFUSED, "unusable", f"`rate` is a whole number from {LEAST_RATE} to {MOST_RATE}, of samples a second")
