"""The host names that requests to a server may use.

A page in a browser can let its own name point to this machine (DNS rebinding), and would then be allowed to read every answer. Its requests still
carry that name in `Host`, so the server can refuse them. A page of another site may open a WebSocket to any server; its own name is in `Origin`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fastapi.responses import JSONResponse

from flows.serving.answers import Failure
from flows.serving.metrics import Metrics
from flows.serving.server import is_loopback

UNKNOWN = Failure(error="this server is not known by that name; `thaw serve --allow-host NAME` allows the name")


@dataclass(frozen=True)
class Hosts:
    """Known names; `localhost` and loopback addresses are always known. None: any name is known."""

    names: frozenset[str] | None = None

    def knows(self, header: str) -> bool:
        """Whether a header `Host` names this server; its port does not matter."""
        if self.names is None:
            return True
        name = name_of(header)
        return is_loopback(name) or name in self.names

    def owns(self, origin: str, host: str) -> bool:
        """Whether a page of an origin is this server's, which was asked as `host`, or of an allowed name; programs have no origin."""
        place = origin.partition("://")[2]
        return not origin or place == host or name_of(place) in (self.names or ())


def hosts_of(address: str, allowed: Sequence[str]) -> Hosts:
    """The known names of a server on an IP address: the allowed names; any name if none is given and other machines reach the address.

    Raises:
        ValueError: an allowed name is no host name.
    """
    names = frozenset(map(name_of, allowed))
    if "" in names:
        raise ValueError(f"one of {', '.join(allowed)} is no name of a host")
    return Hosts(names if names or is_loopback(address) else None)


def name_of(header: str) -> str:
    """The name in `NAME` or `NAME:PORT`, in lower case; empty if there is no name."""
    try:
        return "" if "/" in header else urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


class KnownHosts:
    """ASGI middleware that refuses requests to an unknown host name, on every path, and WebSockets of pages of other sites."""

    def __init__(self, app: Any, hosts: Hosts, metrics: Metrics) -> None:
        self._app = app
        self._hosts = hosts
        self._metrics = metrics

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan" or self._allows(scope):
            await self._app(scope, receive, send)
            return
        self._metrics.rejected.labels("host").inc()
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": ""})  # before the handshake: 403
            return
        await JSONResponse(UNKNOWN.model_dump(), 421)(scope, receive, send)

    def _allows(self, scope: Any) -> bool:
        host = _header(scope, b"host")
        if not self._hosts.knows(host):
            return False
        return scope["type"] != "websocket" or self._hosts.owns(_header(scope, b"origin"), host)


def _header(scope: Any, asked: bytes) -> str:
    """Empty unless it stands there once."""
    values = [value for name, value in scope["headers"] if name == asked]
    return str(values[0].decode("latin-1")) if len(values) == 1 else ""
