"""Downloads from a real server on loopback."""

import functools
import hashlib
import http.server
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from thaw.foundation.errors import BadArtifact, Unreachable
from thaw.foundation.files.downloads import Download, cached_download, has_sha256, size_of

CONTENT = b"weights" * 1000
HALF = 3000
asked: list[tuple[str, str | None]] = []
SHA = hashlib.sha256(CONTENT).hexdigest()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        asked.append((self.path, self.headers.get("Range")))
        begin = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        if self.path == "/cut.bin":  # promises more than it sends
            self.answer(CONTENT[begin : begin + HALF], len(CONTENT) - begin, begin)
        elif self.path == "/resumed.bin":
            self.answer(CONTENT[begin:], len(CONTENT) - begin, begin)
        else:  # knows no ranges
            super().do_GET()

    def answer(self, content: bytes, promised: int, begin: int) -> None:
        self.send_response(416 if not promised else 206 if begin else 200)
        self.send_header("Content-Length", str(promised))
        self.end_headers()
        self.wfile.write(content)


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


def test_a_download_that_never_began_leaves_nothing(server: str, tmp_path: Path) -> None:
    path = tmp_path / "cache" / "none.bin"
    with pytest.raises(Unreachable, match=r"File not found.*lay the file at"):
        cached_download(f"{server}/none.bin", path, is_whole=has_sha256(SHA))
    assert not list(path.parent.iterdir())
    with pytest.raises(Unreachable, match="lay the file at"):
        cached_download("http://127.0.0.1:9/x", path, is_whole=has_sha256(SHA))
    assert not list(path.parent.iterdir())


def test_a_cut_download_goes_on_where_it_ended(server: str, tmp_path: Path) -> None:
    path, told = tmp_path / "cache" / "cut.bin", []
    for number in range(1, 3):
        with pytest.raises(Unreachable, match="the connection was cut"):
            cached_download(f"{server}/cut.bin", path, is_whole=has_sha256(SHA))
        assert not path.exists() and (path.parent / ".cut.bin.part").read_bytes() == CONTENT[: number * HALF]
    asked.clear()
    assert cached_download(f"{server}/resumed.bin", path, is_whole=has_sha256(SHA), progress=lambda *each: told.append(each)) == path  # fmt: skip
    assert path.read_bytes() == CONTENT and list(path.parent.iterdir()) == [path]
    assert asked == [("/resumed.bin", f"bytes={2 * HALF}-")] and told[-1] == (len(CONTENT), len(CONTENT))


@pytest.mark.parametrize("name", ["resumed.bin", "file.bin"])
@pytest.mark.parametrize("left", [b"other" * 10, CONTENT, CONTENT + b"more"])
def test_what_a_cut_download_left_may_be_of_another_file(server: str, tmp_path: Path, name: str, left: bytes) -> None:
    path = tmp_path / "cache" / name
    path.parent.mkdir()
    (path.parent / f".{name}.part").write_bytes(left)
    assert cached_download(f"{server}/{name}", path, is_whole=has_sha256(SHA)).read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]


def test_two_that_want_a_file_get_it_once(server: str, tmp_path: Path) -> None:
    path = tmp_path / "cache" / "resumed.bin"
    asked.clear()
    with ThreadPoolExecutor(4) as pool:
        found = [
            pool.submit(cached_download, f"{server}/resumed.bin", path, is_whole=has_sha256(SHA)) for _ in range(4)
        ]
    assert {each.result() for each in found} == {path} and len(asked) == 1
    assert path.read_bytes() == CONTENT and list(path.parent.iterdir()) == [path]


def test_a_proxy_of_the_environment_is_asked(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server)
    monkeypatch.setenv("no_proxy", "")
    asked.clear()
    with pytest.raises(Unreachable):
        cached_download("http://example.invalid/none.bin", tmp_path / "x.bin", is_whole=has_sha256(SHA))
    assert asked == [("http://example.invalid/none.bin", None)]


def test_sizes_and_licences_are_for_people() -> None:
    assert [size_of(each) for each in (12, 203_415, 9_400_000, 862_182_613, 2_176_768_927)] == [
        "12 bytes", "203 kB", "9.4 MB", "862 MB", "2.2 GB",
    ]  # fmt: skip
    assert str(Download("http://a/b", "MIT", 2000)) == "http://a/b (licence: MIT, 2.0 kB)"
    assert str(Download("http://a/b", "MIT")) == "http://a/b (licence: MIT)"


def test_another_file_than_the_hash_names_is_refused(server: str, tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    with pytest.raises(Unreachable, match="it arrived damaged"):
        cached_download(f"{server}/file.bin", path, is_whole=has_sha256("00000000"))
    assert not path.exists()
    path.write_bytes(b"laid by hand")
    with pytest.raises(BadArtifact, match="remove it and try again"):
        cached_download(f"{server}/file.bin", path, is_whole=has_sha256(SHA[:8]))
