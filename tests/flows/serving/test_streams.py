"""Streams over a WebSocket, on a real server with a real client: events as the sound comes, and an end with a reason for whatever breaks a limit."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import pytest
import soxr
from listening_models import RATE, noise, trigger_model
from serving_app import running
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from flows.serving.hosts import Hosts
from flows.serving.server import web_sockets
from flows.serving.streams.app import build_listening_app
from flows.serving.streams.hall import StreamLimits
from thaw.models.listening.listener import Listener
from thaw.models.listening.trigger_model import TriggerModel

MODEL = trigger_model(threshold=-1.0)
LIMITS = StreamLimits(listeners=2, message_bytes=20_000, idle_s=0.6, hours=1 / 200)


@dataclass(frozen=True)
class Hall:
    """A server that listens. address: of its host and port."""

    address: str

    @contextmanager
    def stream(self, query: str = "", **settings: Any) -> Iterator[ClientConnection]:
        with connect(f"ws://{self.address}/listen{query}", open_timeout=30, **settings) as socket:
            yield socket

    def figure(self, name: str) -> float:
        text = httpx.get(f"http://{self.address}/metrics").text
        return next(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))


@contextmanager
def listening(limits: StreamLimits = LIMITS, model: TriggerModel = MODEL) -> Iterator[Hall]:
    app = build_listening_app((model,), limits, Hosts(frozenset({"shown.example"})))
    with running(app, **web_sockets(limits.message_bytes)) as (address, _):
        yield Hall(address.removeprefix("http://"))


@pytest.fixture(scope="module")
def hall() -> Iterator[Hall]:
    with listening() as found:
        yield found


def plain(seconds: float, rate: int = RATE) -> bytes:
    wave = soxr.resample(noise(seconds).clamp(-1, 1).numpy(), RATE, rate)
    return (wave * 2**15).astype("<i2").tobytes()


def told(socket: ClientConnection) -> list[dict[str, Any]]:
    """All messages to the end."""
    return [json.loads(message) for message in socket]


def end_of(socket: ClientConnection) -> tuple[int, str]:
    """The code and the reason of the close that this server sent."""
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            socket.recv(timeout=30)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


def expected_events(content: bytes) -> list[tuple[float, float]]:
    wave = np.frombuffer(content, "<i2").astype(np.float32) / 2**15
    import torch

    listener = Listener(MODEL)
    heard = [listener.feed(torch.from_numpy(wave)), listener.end()]
    return [(event.at_s, event.score) for each in heard for event in each.events]


@pytest.mark.parametrize("size", [1280, 20_000])
def test_the_events_are_those_of_the_recording_whatever_the_size_of_messages(hall: Hall, size: int) -> None:
    content = plain(5)
    with hall.stream() as socket:
        for start in range(0, len(content), size):
            socket.send(content[start : start + size])
        socket.send("end")
        ready, *events, end = told(socket)
    assert ready["type"] == "ready" and ready["rate"] == RATE
    assert ready["triggers"] == [{"word": "view glass", "promise": str(MODEL.promise), "threshold": -1}]
    assert events and {event["type"] for event in events} == {"event"}
    assert [event["at_s"] for event in events] == [at for at, _ in expected_events(content)]
    assert [event["score"] for event in events] == pytest.approx(
        [score for _, score in expected_events(content)], abs=1e-4
    )
    assert end == {"type": "end", "seconds": 5.0, "events": len(events)}


def test_another_rate_is_brought_to_the_networks(hall: Hall) -> None:
    """As the whole would be, by the same resampling."""
    content = plain(3, 44_100)
    with hall.stream("?rate=44100&scores=true") as socket:
        for start in range(0, len(content), 20_000):
            socket.send(content[start : start + 20_000])
        socket.send("end")
        messages = told(socket)
    wave = np.frombuffer(content, "<i2").astype(np.float32) / 2**15
    whole = (soxr.resample(wave, 44_100, RATE) * 2**15).astype("<i2").tobytes()
    events = [each["at_s"] for each in messages if each["type"] == "event"]
    assert events and events == [at for at, _ in expected_events(whole)]
    scores = [each["score"] for each in messages if each["type"] == "heard"]
    assert scores[0] is None and max(score for score in scores if score is not None) > -1


BROKEN: Sequence[tuple[str, Sequence[bytes | str], tuple[int, str]]] = [
    ("", [b"\0" * 3], (1007, "a message holds whole samples of 16 bits, one at least")),
    ("", [b""], (1007, "a message holds whole samples of 16 bits, one at least")),
    ("", ["end of it"], (1003, "samples come in binary messages, and the only text is `end`")),
    ("", ['{"rate": 8000}'], (1003, "samples come in binary messages, and the only text is `end`")),
    ("", [], (1008, "nothing came for 0.6 s; open another stream")),
    ("?rate=0", [], (1008, "`rate` is a whole number from 4000 to 192000, of samples a second")),
    ("?rate=%D9%A1%D9%A6000", [], (1008, "`rate` is a whole number from 4000 to 192000, of samples a second")),
    ("?rate=1e4", [], (1008, "`rate` is a whole number from 4000 to 192000, of samples a second")),
    ("?rate=4000", [b"\0" * 20_000] * 8, (1008, "a stream lasts 0.005 hours at most; open another one")),
]


@pytest.mark.parametrize(("query", "messages", "end"), BROKEN)
def test_what_breaks_a_limit_ends_with_its_reason(
    hall: Hall, query: str, messages: Sequence[bytes | str], end: tuple[int, str]
) -> None:
    with hall.stream(query) as socket:
        for message in messages:
            socket.send(message)
        assert end_of(socket) == end
    assert len(end[1].encode()) <= 123


def test_every_sentence_fits_a_close_at_any_setting() -> None:
    """The protocol leaves it 123 bytes."""
    limits = StreamLimits(listeners=10**6, message_bytes=2, idle_s=1e5 + 0.25, hours=1e5 + 0.25)
    assert len(f"all {limits.listeners} places for streams are taken; try again later") <= 123
    assert len(f"a stream lasts {limits.hours:g} hours at most; open another one") <= 123


@pytest.mark.parametrize("pieces", [1, 5])
def test_a_message_that_is_too_large_ends_the_stream_in_one_piece_or_many(hall: Hall, pieces: int) -> None:
    with hall.stream(compression=None) as socket:
        socket.recv()
        with pytest.raises(ConnectionClosed) as closed:
            socket.send(iter([b"\0" * (20_002 // pieces + 2)] * pieces) if pieces > 1 else b"\0" * 20_002)
            while True:
                socket.recv(timeout=30)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009


def test_no_compression_is_agreed_on(hall: Hall) -> None:
    with hall.stream(compression="deflate") as socket:
        assert socket.protocol.extensions == []


def test_further_listeners_are_refused_and_a_place_is_free_again_after_a_stream() -> None:
    with listening(StreamLimits(listeners=2, idle_s=30)) as hall:
        with hall.stream() as one, hall.stream() as other:
            assert json.loads(one.recv())["type"] == json.loads(other.recv())["type"] == "ready"
            with hall.stream() as third:
                assert end_of(third) == (1013, "all 2 places for streams are taken; try again later")
            assert hall.figure("thaw_listeners ") == 2 and hall.figure('thaw_rejected_total{reason="busy"}') == 1
            one.send(plain(0.5))
            one.socket.close()  # without a close of the protocol, as when a machine is switched off
            wait_until(lambda: hall.figure("thaw_listeners ") == 1)
            with hall.stream() as third:
                assert json.loads(third.recv())["type"] == "ready"
        wait_until(lambda: hall.figure("thaw_listeners ") == 0)


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_client_that_is_gone_in_the_middle_leaves_the_others_in_peace(hall: Hall) -> None:
    content = plain(3)
    for _ in range(5):
        with hall.stream() as gone:
            gone.send(content[:20_000])
            gone.socket.close()
    with hall.stream() as socket:
        for start in range(0, len(content), 20_000):
            socket.send(content[start : start + 20_000])
        socket.send("end")
        assert told(socket)[-1]["type"] == "end"
    assert httpx.get(f"http://{hall.address}/health").json() == {"status": "alive"}


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({"origin": "https://elsewhere.example"}, 403),
        ({"origin": "null"}, 403),
        ({"additional_headers": {"Origin": "http://shown.example"}}, None),
        ({"additional_headers": {"Origin": "http://{address}"}}, None),
    ],
)
def test_only_pages_of_this_server_and_of_allowed_names_open_a_stream(
    hall: Hall, settings: dict[str, Any], status: int | None
) -> None:
    named = json.loads(json.dumps(settings).replace("{address}", hall.address))
    if status is None:
        with hall.stream(**named) as socket:
            assert json.loads(socket.recv())["type"] == "ready"
    else:
        with pytest.raises(InvalidStatus) as refused, hall.stream(**named):
            pass
        assert refused.value.response.status_code == status


def test_programs_are_told_what_is_listened_for(hall: Hall) -> None:
    facts = httpx.get(f"http://{hall.address}/trigger").json()
    (trigger,) = facts["triggers"]
    assert trigger["word"] == "view glass" and facts["rate"] == RATE and trigger["bound"] == 0.43
    assert facts["message_bytes"] == 20_000 and facts["listeners"] == 2
    assert httpx.get(f"http://{hall.address}/ready").json() == {"status": "ready"}
    gone = httpx.get(f"http://{hall.address}/predict")
    assert gone.status_code == 404 and gone.json()["error"].startswith("there is nothing at /predict")
    assert "script-src 'unsafe-inline'" in httpx.get(f"http://{hall.address}/").headers["content-security-policy"]
