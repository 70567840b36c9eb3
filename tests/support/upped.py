"""A project of toy stages under `thaw up`, driven as a user would drive it, and asked through Prefect's API."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from process_family import family_of, left_of
from toy import build_toy, environment

ROOT = Path.cwd()
ENDED = ("COMPLETED", "FAILED", "CANCELLED")
PATIENCE_S = 300.0


class Upped:
    """The project, and the `thaw up` in it."""

    def __init__(self, root: Path, programs: Path) -> None:
        self.programs = programs
        """The folder of the `python` of the commands beside it."""
        self.root = build_toy(root)
        (root / "prefect.yaml").write_text((ROOT / "prefect.yaml").read_text())
        (root / "photos").mkdir()
        (root / "photos/1.png").write_bytes(b"1")
        params = "dataset: {source: photos}\nbackbone: {weights: input.txt}\npromotion: {automatic: false}\n"
        (root / "params.yaml").write_text(params)
        self.said = root / "said.txt"
        self.process: subprocess.Popen[bytes] | None = None

    def environment(self) -> dict[str, str]:
        own = {"PREFECT_API_URL": "", "MLFLOW_TRACKING_URI": "", "PYTHONPATH": str(ROOT), "COLUMNS": "300"}
        return {name: value for name, value in (environment() | own).items() if name != "PREFECT_HOME"}

    def start(self, *options: str) -> None:
        """Start `thaw up`, and wait until it says that it is up."""
        command = [sys.executable, "-m", "flows.cli", "up", *options]
        with self.said.open("wb") as file:
            self.process = subprocess.Popen(
                command, cwd=self.root, env=self.environment(), stdout=file, stderr=file, start_new_session=True
            )
        wait_for(
            lambda: " up: schedules, new data" in self.said.read_text() or self.process.poll() is not None,
            self.what_is_said,
        )
        assert self.process.poll() is None, self.what_is_said()

    def what_is_said(self) -> str:
        return self.said.read_text()

    def family(self) -> list[psutil.Process]:
        """`thaw up` and all that it has started."""
        assert self.process is not None
        return family_of(self.process.pid)

    def end(self, number: signal.Signals) -> list[psutil.Process]:
        """End it by a signal; returns which of its processes are left a moment later."""
        assert self.process is not None
        family = self.family()
        self.process.send_signal(number)
        self.process.wait(PATIENCE_S)
        return left_of(family)

    def thaw(self, *arguments: str, code: int = 0) -> str:
        """Run a `thaw` command beside it; returns what it printed."""
        command = [str(self.programs / "python"), "-m", "flows.cli", *arguments]
        found = subprocess.run(
            command, cwd=self.root, env=self.environment(), capture_output=True, text=True, timeout=600, check=False
        )
        assert found.returncode == code, found.stdout + found.stderr
        return found.stdout + found.stderr

    def addresses(self) -> dict[str, str]:
        return dict(json.loads((self.root / ".thaw/servers.json").read_text()))

    def ask(self, path: str, body: object | None = None) -> Any:
        """Prefect's API."""
        data = None if body is None else json.dumps(body).encode()
        address = f"{self.addresses()['prefect']}/api{path}"
        request = urllib.request.Request(address, data, {"Content-Type": "application/json"})
        for _ in range(20):
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return json.loads(answer.read() or "null")
            except urllib.error.HTTPError as error:
                if error.code != 503:  # its data base is busy: Prefect's own clients try again as well
                    raise
                time.sleep(1)
        raise AssertionError(f"Prefect has been too busy for {path}")

    def run(self, deployment: str = "transfer", **parameters: object) -> str:
        """Start a run; returns its id."""
        found = self.ask(f"/deployments/name/{deployment}/{deployment}")
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        return str(self.ask(f"/deployments/{found['id']}/create_flow_run", body)["id"])

    def state(self, run: str) -> Any:
        return self.ask(f"/flow_runs/{run}")["state"]

    def ended(self, run: str) -> Any:
        """The state in which a run has ended for good."""
        wait_for(lambda: self.state(run)["type"] in ENDED, self.what_is_said)
        return self.state(run)

    def order(self, stage: str, what: str = "") -> None:
        """Tell a toy stage what to do from now on: `hang`, `fail`, or nothing."""
        path = self.root / f"{stage}.order"
        if what:
            path.write_text(what)
        else:
            path.unlink(missing_ok=True)

    def flow_process(self, run: str) -> psutil.Process:
        """The process that runs a flow on this machine."""
        pid = str(self.ask(f"/flow_runs/{run}")["infrastructure_pid"]).rsplit(":", 1)[-1]
        return psutil.Process(int(pid))


def wait_for(condition: Callable[[], object], told: Callable[[], str], seconds: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + seconds
    while not holds(condition):
        assert time.monotonic() < deadline, f"it took too long:\n{told()}"
        time.sleep(0.5)


def holds(condition: Callable[[], object]) -> bool:
    try:
        return bool(condition())
    except OSError:  # the server is not there for a moment
        return False


def hold_lock(root: Path) -> "subprocess.Popen[str]":
    """A process that holds the project as a run does."""
    code = (
        "import sys, time; from pathlib import Path; from flows.dvc.run_lock import run_lock\n"
        "with run_lock(Path(sys.argv[1])): print('held', flush=True); time.sleep(600)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(root)], stdout=subprocess.PIPE, text=True, env={**os.environ}
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process
