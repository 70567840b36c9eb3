"""Free ports on loopback."""

import socket
from collections.abc import Sequence

from flows.project.errors import NoServer

HOST = "127.0.0.1"


def free_port(preferred: int, reserved: Sequence[int] = ()) -> int:
    """`preferred` if nothing listens there, else any free port; never a port in `reserved`."""
    for port in (preferred, 0):
        if port in reserved:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            port_found = int(probe.getsockname()[1])
            if port_found not in reserved:
                return port_found
    raise NoServer(f"no free port on {HOST}; stop a server and try again")
