"""The serving process: its socket, uvicorn, and its end."""

import socket
from ipaddress import ip_address
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI

from flows.project.errors import NoServer

_IDLE_S = 20
"""Connections without a request are closed after this many seconds."""


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to an address; port 0: any free port.

    Raises:
        NoServer: the port is taken, or the address does not belong to this machine.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        # Without the named protocol, asyncio does not recognise TCP and leaves Nagle's algorithm on: 40 ms for each answer.
        bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        raise NoServer(
            f"{host}:{port} cannot be listened on ({error.strerror or error}); stop the program that uses it, or name another --port"
        ) from error
    return bound


def address_of(bound: socket.socket) -> str:
    """The address of the server for a browser."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Patient(uvicorn.Server):
    """A server that ends after its open requests, after any number of signals, and without an exception."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handle SIGTERM and SIGINT. Uvicorn's own handler drops requests at the second signal, and a wrapper that passes signals on sends a second one."""
        self.should_exit = True


def run(app: FastAPI, bound: socket.socket, grace_s: float, *, message_bytes: int | None = None) -> None:
    """Serve until SIGTERM or Ctrl-C; then finish the open requests within `grace_s`. message_bytes: the most of a WebSocket's message; None: no WebSockets."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, timeout_keep_alive=_IDLE_S, timeout_graceful_shutdown=int(grace_s) + 1,
        server_header=False, lifespan="on", **web_sockets(message_bytes),
    )  # fmt: skip
    _Patient(config).run(sockets=[bound])


def web_sockets(message_bytes: int | None) -> dict[str, Any]:
    """The settings of uvicorn for WebSockets. Nothing is compressed: a small message could become a large one."""
    if message_bytes is None:
        return {"ws": "none"}
    return {"ws": "websockets-sansio", "ws_max_size": message_bytes, "ws_per_message_deflate": False}
