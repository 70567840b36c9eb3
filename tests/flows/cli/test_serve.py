"""`thaw serve`: a real process on a real registry; the alias moves and the process ends, and no request fails."""

import io
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from PIL import Image
from registration import challenge, inside, track_and_register
from toy import environment
from typer.testing import CliRunner

from flows.cli.app import app
from flows.project.errors import NoServer
from flows.serving.server import address_of, is_loopback, listen
from tasks.registry.registry import CHALLENGER, CHAMPION, open_registry
from thaw.params.values.reading import read_params


@pytest.fixture(scope="module")
def project(built_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Three versions: the champion, the same model once more, and one that cannot be loaded."""
    root = Path(shutil.copytree(built_project, tmp_path_factory.mktemp("served") / "project"))
    (root / "dvc.yaml").write_text("stages: {}\n")
    with inside(root), pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        track_and_register()
        registry = open_registry(read_params().registry)
        assert registry.create(registry.version(1).source, {}) == 2
        assert challenge(registry) == 3
        registry.set_alias(CHALLENGER, 2)
        yield root


def point_at(number: int) -> None:
    open_registry(read_params().registry).set_alias(CHAMPION, number)


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.1)


@contextmanager
def serving(root: Path, *options: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """`thaw serve` on a free port, ready; its process and its address."""
    own = {"MLFLOW_TRACKING_URI": "", "PYTHONPATH": str(Path(__file__).parents[3]), "COLUMNS": "200"}
    command = [sys.executable, "-u", "-m", "flows.cli", "serve", "--port", "0", "--engine", "torch", *options]
    with (root / "serve.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=root, env=environment() | own, text=True,
            stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        wait_for(lambda: "serving on" in said(root) or process.poll() is not None)
        found = re.search(r"serving on (\S+),", said(root))
        assert found, said(root)
        wait_for(lambda: httpx.get(f"{found[1]}/ready").status_code == 200)
        yield process, found[1]
    finally:
        process.kill()
        process.wait()


def said(root: Path) -> str:
    return (root / "serve.log").read_text()


def picture(side: int = 16) -> bytes:
    """A grey picture: few bytes, and the larger the longer it takes to decode."""
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), "grey").save(buffer, "PNG")
    return buffer.getvalue()


class Loop:
    """Clients that ask again and again; `found` holds status and version of every answer, or the error."""

    def __init__(self, address: str, clients: int = 2) -> None:
        self.found: list[tuple[int, int]] = []
        self.errors: list[Exception] = []
        self._address = address
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]

    def _run(self) -> None:
        with httpx.Client(base_url=self._address, timeout=60) as client:
            while not self._stop.is_set():
                try:
                    answer = client.post("/predict", files={"images": ("x.png", picture())})
                    self.found.append((answer.status_code, answer.json().get("version", 0)))
                except Exception as error:
                    self.errors.append(error)

    def __enter__(self) -> "Loop":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


@pytest.mark.slow
def test_while_the_alias_moves_no_request_fails_and_a_broken_version_changes_nothing(project: Path) -> None:
    point_at(1)
    with serving(project, "--poll-s", "0.2") as (_, address), Loop(address) as loop:
        wait_for(lambda: len(loop.found) > 20)
        point_at(2)
        wait_for(lambda: loop.found[-1][1] == 2)
        point_at(3)
        wait_for(lambda: "version 3 cannot be loaded" in said(project))
        before = len(loop.found)
        wait_for(lambda: len(loop.found) > before + 20)
        assert loop.found[-1][1] == 2
        assert 'thaw_model_loads_total{outcome="failed"}' in httpx.get(f"{address}/metrics").text
        point_at(1)
        wait_for(lambda: loop.found[-1][1] == 1)
    assert loop.errors == [] and {status for status, _ in loop.found} == {200}, said(project)
    assert {version for _, version in loop.found} == {1, 2}
    wait_for(lambda: said(project).count("is freed") >= 2)


@pytest.mark.slow
def test_however_often_it_is_asked_to_stop_it_finishes_what_is_under_way(project: Path) -> None:
    point_at(1)
    with serving(project) as (process, address):
        large = picture(4000)
        many = [("images", (f"{number}.png", large)) for number in range(32)]
        answers: list[httpx.Response] = []
        asking = threading.Thread(
            target=lambda: answers.append(httpx.post(f"{address}/predict", files=many, timeout=120))
        )
        asking.start()
        wait_for(lambda: "thaw_in_flight 1.0" in httpx.get(f"{address}/metrics").text)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGINT):
            process.send_signal(number)
        asking.join()
        assert answers[0].status_code == 200 and len(answers[0].json()["images"]) == 32
        assert process.wait(60) == 0
        assert "Traceback" not in said(project)
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{address}/health")


def test_without_a_champion_or_with_an_odd_uri_it_says_what_to_do(project: Path) -> None:
    with inside(project):
        registry = open_registry(read_params().registry)
        registry.client.delete_registered_model_alias("photos", CHAMPION)
        none = CliRunner().invoke(app, ["serve", "--port", "0"])
        assert none.exit_code == 1 and "photos has no champion yet; `thaw run` makes one" in none.stderr
        odd = CliRunner().invoke(app, ["serve", "--port", "0", "--model", "/etc/passwd"])
        assert odd.exit_code == 1 and "names no version of a registered model" in odd.stderr


def test_a_port_that_is_taken_is_named() -> None:
    with listen("127.0.0.1", 0) as taken:
        taken.listen()
        assert taken.proto == socket.IPPROTO_TCP, "or answers wait for Nagle's algorithm"
        port = taken.getsockname()[1]
        assert address_of(taken) == f"http://127.0.0.1:{port}"
        with pytest.raises(NoServer, match=f"127.0.0.1:{port} cannot be listened on .*name another --port"):
            listen("127.0.0.1", port)


def test_only_loopback_addresses_go_without_a_warning() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.8.8.8", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "10.0.0.1", "example.org")))  # noqa: S104
