"""Downloads from a real server on loopback."""

import functools
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from thaw.foundation.errors import BadArtifact, Unreachable
from thaw.foundation.files.downloads import cached_download, has_sha256

CONTENT = b"weights" * 1000
SHA = hashlib.sha256(CONTENT).hexdigest()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path == "/cut.bin":  # promises more than it sends
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"half")
        else:
            super().do_GET()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "file.bin").write_bytes(CONTENT)
    handler = functools.partial(Quiet, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_address[1]}"
        listening.shutdown()


def test_it_downloads_once(server: str, tmp_path: Path) -> None:
    path = tmp_path / "cache" / "file.bin"
    assert cached_download(f"{server}/file.bin", path, is_whole=has_sha256(SHA[:8])).read_bytes() == CONTENT
    assert cached_download("http://127.0.0.1:9/", path, is_whole=has_sha256(SHA[:8])) == path
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("name", ["none.bin", "cut.bin"])
def test_a_failed_download_leaves_nothing_and_may_pass(server: str, tmp_path: Path, name: str) -> None:
    path = tmp_path / "cache" / name
    with pytest.raises(Unreachable, match="lay the file at"):
        cached_download(f"{server}/{name}", path, is_whole=has_sha256(SHA[:8]))
    assert not list(path.parent.iterdir())


def test_another_file_than_the_hash_names_is_refused(server: str, tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    with pytest.raises(Unreachable, match="it arrived damaged"):
        cached_download(f"{server}/file.bin", path, is_whole=has_sha256("00000000"))
    assert not path.exists()
    path.write_bytes(b"laid by hand")
    with pytest.raises(BadArtifact, match="remove it and try again"):
        cached_download(f"{server}/file.bin", path, is_whole=has_sha256(SHA[:8]))
