"""A server on loopback for downloads: files of a folder, and what Hugging Face's interface says of them."""

import functools
import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

LARGE = ".safetensors"
"""The ending of files that are kept outside of Git, with their SHA-256."""


@dataclass
class Server:
    """address: without a slash. folder: what is served. asked: the paths of all requests."""

    address: str
    folder: Path
    asked: list[str] = field(default_factory=list)


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Serve the files of a folder; `ORG/NAME/...` below it are repositories of Hugging Face, at `/ORG/NAME/resolve/REVISION/...`."""
    server = Server("", folder)
    handler = functools.partial(_Handler, server)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        server.address = f"http://127.0.0.1:{listening.server_address[1]}"
        yield server
        listening.shutdown()


class _Handler(http.server.BaseHTTPRequestHandler):
    def __init__(self, server: Server, *args: object) -> None:
        self._server = server
        super().__init__(*args)  # type: ignore[arg-type]

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        path = urlsplit(self.path).path.lstrip("/")
        self._server.asked.append(path)
        if path.startswith("api/models/"):
            repository = self._server.folder / path.removeprefix("api/models/")
            return self._send(json.dumps(_stated(repository)).encode() if repository.is_dir() else None)
        organisation, _, rest = path.partition("/")
        name, _, rest = rest.partition("/resolve/")
        file = self._server.folder / (f"{organisation}/{name}/{rest.partition('/')[2]}" if rest else path)
        return self._send(file.read_bytes() if file.is_file() else None)

    def _send(self, content: bytes | None) -> None:
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")


def _stated(repository: Path) -> dict[str, object]:
    files = sorted(file for file in repository.rglob("*") if file.is_file())
    return {
        "sha": "0" * 40,
        "cardData": {"license": "apache-2.0"},
        "siblings": [_entry(file, file.relative_to(repository).as_posix()) for file in files],
    }


def _entry(file: Path, name: str) -> dict[str, object]:
    content = file.read_bytes()
    git = hashlib.sha1(f"blob {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()
    entry: dict[str, object] = {"rfilename": name, "size": len(content), "blobId": git}
    if file.suffix == LARGE:
        entry["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    return entry
