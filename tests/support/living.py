"""A project under `thaw up`, asked through the servers' own interfaces; and a client of `thaw serve` that never stops asking."""

import json
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from process_family import family_of, left_of
from project import Project

PATIENCE_S = 600.0
ENDED = {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED"]}}


def wait_for(condition: Callable[[], Any], said: Callable[[], str]) -> Any:
    """What the condition gives once it gives something; a server that does not answer yet, or is busy, gives nothing."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            if found := condition():
                return found
        except OSError:
            pass
        assert time.monotonic() < deadline, said()
        time.sleep(0.5)


class Living:
    """A project, and the `thaw up` in it."""

    def __init__(self, project: Project, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.project = project
        self.process = process
        self._log = log

    def said(self) -> str:
        """Everything that `thaw up` has printed."""
        return self._log.read_text()

    def addresses(self) -> dict[str, str]:
        """What it serves where."""
        return dict(json.loads((self.project.root / ".thaw/servers.json").read_text()))

    def ask(self, path: str, body: object) -> Any:
        """Prefect's API."""
        request = urllib.request.Request(
            f"{self.addresses()['prefect']}/api{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def ended_runs(self, **more: object) -> Any:
        """The runs of the deployment `transfer` that have ended, the oldest first."""
        assert self.process.poll() is None, self.said()
        wanted = {"flow_runs": {"state": ENDED, **more}, "deployments": {"name": {"any_": ["transfer"]}}}
        return self.ask("/flow_runs/filter", {**wanted, "sort": "EXPECTED_START_TIME_ASC"})

    def run_by_new_data(self, number: int) -> Any:
        """The run that new data have started as the `number`th, once it has ended; it must have ended well."""
        runs = wait_for(lambda: self._by_new_data(number), self.said)
        assert runs[number - 1]["state"]["type"] == "COMPLETED", self.said()
        return runs[number - 1]

    def parent_of(self, run: str) -> str:
        """The flow run that a sub-flow belongs to; a run of nobody else's is its own."""
        found = self.ask("/flow_runs/filter", {"flow_runs": {"id": {"any_": [run]}}})[0]
        if found["parent_task_run_id"] is None:
            return run
        wanted = {"task_runs": {"id": {"any_": [found["parent_task_run_id"]]}}}
        return str(self.ask("/task_runs/filter", wanted)[0]["flow_run_id"])

    def _by_new_data(self, number: int) -> Any:
        runs = self.ended_runs(tags={"all_": ["new-data"]})
        return runs if len(runs) >= number else None


@contextmanager
def living(project: Project, *options: str) -> Iterator[Living]:
    """`thaw up`, and nothing left of it afterwards: it is the real Python, with the project's programs below it."""
    log = project.root.parent / "up.txt"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [str(project.programs / "python"), "-m", "flows.cli", "up", *options], executable=sys.executable,
            cwd=project.root, env=project.environment(), stdout=said, stderr=said, start_new_session=True,
        )  # fmt: skip
    try:
        yield Living(project, process, log)
    finally:
        family = family_of(process.pid)
        process.send_signal(signal.SIGTERM)
        code = process.wait(120)
        left = left_of(family)
    assert code == 0 and not left, log.read_text()


class Client:
    """Asks `thaw serve` about one picture again and again; keeps what failed, and which versions have answered."""

    def __init__(self, address: str, picture: bytes) -> None:
        self._address = address
        self._picture = picture
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._ask_on, daemon=True)
        self.failures: list[str] = []
        self.versions: list[int] = []

    def __enter__(self) -> "Client":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()
        self._thread.join(60)

    def answered_by(self, version: int) -> bool:
        """Whether the latest answer is that version's."""
        return self.versions[-1:] == [version]

    def _ask_on(self) -> None:
        with httpx.Client(timeout=60) as client:
            while not self._stopped.wait(0.4):
                try:
                    answer = client.post(f"{self._address}/predict", files={"images": ("7.png", self._picture)})
                    answer.raise_for_status()
                    self.versions.append(int(answer.json()["version"]))
                except (httpx.HTTPError, KeyError, ValueError) as error:
                    self.failures.append(repr(error))
