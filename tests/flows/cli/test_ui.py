"""`thaw ui`: real servers, on this machine's own address alone, gone when it ends."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest
from process_family import family_of, left_of
from toy import build_toy, environment

from flows.daemon import up
from flows.daemon.services import Service
from flows.daemon.up import upkeep
from flows.daemon.web_pages import elsewhere, services
from flows.dvc.run_lock import up_lock
from flows.prefect_server.running_server import (
    ADDRESSES,
    answers,
    need_prefect_server,
    use_running_server,
    write_addresses,
)
from flows.processes.ports import HOST, free_port


def read(address: str) -> str:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return str(answer.read().decode())


def wait_for(condition, seconds: float = 90) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.2)


@pytest.mark.slow
def test_it_serves_mlflow_prefect_and_the_report_until_it_is_stopped(tmp_path: Path) -> None:
    root = build_toy(tmp_path / "toy")
    (root / "data/report").mkdir(parents=True)
    shutil.copy(Path("docs/pipeline.svg"), root / "data/report/report.html")
    own = {"PREFECT_API_URL": "", "MLFLOW_TRACKING_URI": "", "PYTHONPATH": str(Path.cwd()), "COLUMNS": "200"}
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "ui"], cwd=root, env=environment() | own, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        wait_for(lambda: (root / ADDRESSES).exists() or process.poll() is not None)
        assert process.poll() is None, process.communicate()[0]
        addresses = json.loads((root / ADDRESSES).read_text())
        assert set(addresses) == {"mlflow", "prefect", "report"}
        assert all(address.startswith(f"http://{HOST}:") for address in addresses.values())
        assert "<title>MLflow</title>" in read(addresses["mlflow"])
        assert "Prefect" in read(addresses["prefect"])
        assert "<svg" in read(addresses["report"])
        family = family_of(process.pid)
        listening = _listening(family)
        assert listening and listening <= {HOST}, "nothing listens on another address"
    finally:
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and "Traceback" not in output, output
    assert all(address in output for address in addresses.values())
    assert not (root / ADDRESSES).exists()
    # Its addresses may answer: another test's servers may have taken the usual ports that it has left.
    assert not left_of(family), "every server ended with it"


def _listening(family: list[psutil.Process]) -> set[str]:
    """The addresses on which the processes listen for TCP connections."""
    found = (connection for process in family for connection in process.net_connections("tcp"))
    return {connection.laddr.ip for connection in found if connection.status == psutil.CONN_LISTEN}


def test_servers_of_the_users_own_are_pointed_to_and_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9/mlflow")
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    assert elsewhere() == {"mlflow": "http://127.0.0.1:9/mlflow", "prefect": "http://127.0.0.1:9"}
    assert [service.name for service in services(tmp_path)] == ["report"]


def test_a_port_that_is_taken_is_left_alone() -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        taken = other.getsockname()[1]
        assert free_port(taken) != taken
    assert free_port(taken) == taken
    assert free_port(taken, [taken]) != taken


def test_a_server_that_cannot_start_is_named_with_its_last_words(tmp_path: Path) -> None:
    from flows.project.errors import NoServer

    command = (sys.executable, "-c", "import sys; sys.exit('no room left')")
    broken = Service("broken", command, "http://127.0.0.1:9/", "http://127.0.0.1:9/")
    with (
        upkeep(tmp_path, lambda service, line: None) as (supervisor, _),
        pytest.raises(NoServer, match=r"broken ended at once: no room left"),
    ):
        supervisor.start([broken])


def test_the_server_of_another_project_at_the_same_port_is_not_taken_for_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    for name in ("PREFECT_API_URL", "MLFLOW_TRACKING_URI"):
        monkeypatch.setenv(name, "")
    with (
        answering() as address,
        upkeep(tmp_path, lambda service, line: said.append(line)) as (supervisor, journal),
    ):
        taken = int(address.rsplit(":", 1)[1])
        ports = iter((taken, free_port(0)))

        def pages(root: Path) -> tuple[Service, ...]:
            port = next(ports)
            command = (sys.executable, "-m", "http.server", "--bind", HOST, "--directory", str(root), str(port))
            return (Service("pages", command, f"http://{HOST}:{port}", f"http://{HOST}:{port}/"),)

        monkeypatch.setattr(up, "services", pages)
        up.serve(tmp_path, supervisor, journal)
        (server,) = supervisor.servers
        assert server.alive and server.service.address != address and answers(server.service.address)
    assert any("another program has taken its port" in line for line in said)


def test_whatever_happens_no_server_is_left_behind(tmp_path: Path) -> None:
    asleep = Service("asleep", (sys.executable, "-c", "import time; time.sleep(600)"))
    with pytest.raises(ZeroDivisionError), upkeep(tmp_path, lambda service, line: None) as (supervisor, _):
        supervisor.start([asleep, asleep])
        servers = supervisor.servers
        raise ZeroDivisionError
    assert len(servers) == 2 and not any(server.alive for server in servers)


def test_a_run_uses_the_servers_that_run_unless_the_user_names_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.project.errors import NoServer

    names = ("PREFECT_API_URL", "MLFLOW_TRACKING_URI")

    def used() -> list[str]:
        for name in names:
            monkeypatch.setenv(name, "")
        use_running_server(tmp_path)
        return [os.environ.get(name, "") for name in names]

    assert used() == ["", ""]
    with answering() as address:
        write_addresses(tmp_path, {"prefect": address, "mlflow": address})
        assert used() == ["", ""], "what a killed `thaw up` has left may be somebody else's server by now"
        with up_lock(tmp_path):
            assert used() == [f"{address}/api", address]
            monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mine.db")
            use_running_server(tmp_path)
            assert os.environ["MLFLOW_TRACKING_URI"] == "sqlite:///mine.db"
    with up_lock(tmp_path):
        assert used() == ["", ""], "nothing answers there"
    with pytest.raises(NoServer, match="start `thaw up`"):
        need_prefect_server(tmp_path)
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    with pytest.raises(NoServer, match=re.escape("http://127.0.0.1:9/api")):
        use_running_server(tmp_path)


@contextmanager
def answering() -> Iterator[str]:
    """A web server that answers everything with success."""

    class Yes(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *values: object) -> None:
            pass

    server = ThreadingHTTPServer((HOST, 0), Yes)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
