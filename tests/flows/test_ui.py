"""`thaw ui`: real servers, on this machine's own address alone, gone when it ends."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from toy import build_toy, environment

from flows.pages import elsewhere, services
from flows.running_server import ADDRESSES, answers, use_running_server
from flows.servers import HOST, Service, free_port, serving


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
        listening = _listening(process.pid)
        assert listening and listening <= {HOST}, "nothing listens on another address"
    finally:
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and "Traceback" not in output, output
    assert all(address in output for address in addresses.values())
    assert not (root / ADDRESSES).exists()
    assert not any(answers(address) for address in addresses.values()), "every server ended with it"


def _listening(root_pid: int) -> set[str]:
    """The addresses on which a process or what it started listens for TCP connections."""
    import psutil

    family = [psutil.Process(root_pid), *psutil.Process(root_pid).children(recursive=True)]
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
    from flows.errors import NoServer

    command = (sys.executable, "-c", "import sys; sys.exit('no room left')")
    broken = Service("broken", command, "http://127.0.0.1:9/", "http://127.0.0.1:9/")
    with serving([broken], tmp_path) as (server,), pytest.raises(NoServer, match=r"broken ended at once: no room left"):
        server.wait()


def test_whatever_happens_no_server_is_left_behind(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "import time; time.sleep(600)")
    asleep = Service("asleep", command, "http://127.0.0.1:9/", "http://127.0.0.1:9/")
    with pytest.raises(ZeroDivisionError), serving([asleep, asleep], tmp_path) as servers:
        raise ZeroDivisionError
    assert not any(server.alive for server in servers)


def test_a_run_uses_the_server_that_runs_unless_the_user_names_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.errors import NoServer

    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    use_running_server(tmp_path)
    assert "PREFECT_API_URL" not in os.environ
    (tmp_path / ADDRESSES).parent.mkdir()
    (tmp_path / ADDRESSES).write_text(json.dumps({"prefect": "http://127.0.0.1:9"}))
    use_running_server(tmp_path)
    assert "PREFECT_API_URL" not in os.environ, "nothing answers there"
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    with pytest.raises(NoServer, match=re.escape("http://127.0.0.1:9/api")):
        use_running_server(tmp_path)
