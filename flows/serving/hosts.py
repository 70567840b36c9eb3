"""The names by which a server may be asked.

A page in a browser can have its own name point to this machine (DNS rebinding), and would then be allowed to read every answer. Its requests still
carry that name in `Host`, by which they are told from others.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import Request

from flows.serving.refusals import Refused
from flows.serving.server import is_loopback


@dataclass(frozen=True)
class Hosts:
    """Names that are known; `localhost` and loopback addresses always are. None: any name is."""

    names: frozenset[str] | None = None

    def knows(self, header: str) -> bool:
        """Whether a header `Host` names this server; its port does not matter."""
        if self.names is None:
            return True
        try:
            name = urlsplit(f"//{header}").hostname or ""
        except ValueError:
            return False
        return is_loopback(name) or name in self.names

    async def check(self, request: Request) -> None:
        """Raises Refused: the request came by a name that is not known."""
        if not self.knows(request.headers.get("host", "")):
            raise Refused(
                421, "host", "this server is not known by that name; `thaw serve --allow-host NAME` lets it be"
            )


def hosts_of(host: str, allowed: list[str]) -> Hosts:
    """What is known where a server listens on `host`: the names that are allowed, and where there are none and other machines reach it, any."""
    return Hosts(frozenset(map(str.lower, allowed)) if allowed or is_loopback(host) else None)
