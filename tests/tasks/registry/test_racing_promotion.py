"""Two processes that move the alias at the same moment, on one real MLflow server, in folders (and so with locks) of their own."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from racing_promotion import PARAMS
from registration import challenge, copy_empty_store, inside

from flows.processes.ports import free_port
from tasks.registry.promotion import promote
from tasks.registry.registry import CHAMPION, Registry, open_registry

pytestmark = pytest.mark.slow
ROUNDS = 3
Said = dict[str, Any]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[str]:
    folder, port = copy_empty_store(empty_store, tmp_path_factory.mktemp("server")), free_port(5700, [])
    address = f"http://127.0.0.1:{port}"
    command = (
        *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "2"),
        *(
            "--backend-store-uri",
            f"sqlite:///{folder}/.thaw/mlflow.db",
            "--artifacts-destination",
            str(folder / "artifacts"),
        ),
    )
    own = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # its job runner takes eight processes
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, env=own, stdout=log, stderr=log)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{address}/health", timeout=5).close()
                break
            except (urllib.error.URLError, OSError):
                assert process.poll() is None, (folder / "log").read_text()
                time.sleep(0.3)
        yield address
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture
def registry(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    (home := tmp_path / "home").mkdir()
    with inside(home):
        registry = open_registry(PARAMS.registry)
        registry.client.create_registered_model(registry.name)
        yield registry


@contextmanager
def rivals(
    warm: Path, folder: Path, first: Sequence[str], second: Sequence[str]
) -> "Iterator[Callable[[int], list[Said]]]":
    """Two processes, with what each attempts; yields what starts the attempt of that number and gives what each says of it."""
    meeting, script = folder / "meeting", Path(__file__).parents[2] / "support/racing_promotion.py"
    meeting.mkdir()
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "MEETING": str(meeting)}
    processes = []
    for name, attempts in (("first", first), ("second", second)):
        (own := folder / name).mkdir()
        command = [str(warm / "forked"), str(script), name, *attempts]
        processes.append(subprocess.Popen(command, cwd=own, env=environment, text=True, stdout=subprocess.PIPE))

    def meet(number: int) -> list[Said]:
        (meeting / str(number)).mkdir()
        return [json.loads(process.stdout.readline()) for process in processes if process.stdout]

    try:
        yield meet
        assert [process.wait(60) for process in processes] == [0, 0]
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def champion(registry: Registry) -> int:
    found = registry.by_alias(CHAMPION)
    assert found is not None
    return found.number


def test_of_two_at_once_exactly_one_moves_the_alias_and_the_other_is_told(
    registry: Registry, tmp_path: Path, warm: Path
) -> None:
    same, other = ["promote"] * ROUNDS, ["promote"] * ROUNDS
    with rivals(warm, tmp_path, [*same, *other], [*same, *(["rollback"] * ROUNDS)]) as meet:
        for number in range(1, ROUNDS + 1):
            challenge(registry)
            said = meet(number - 1)
            assert sorted(one["moved"] for one in said) == [False, True], said
            (loser,) = (one["says"] for one in said if not one["moved"])
            assert loser.startswith(f"version {number} is the champion already: ") and "at the same time" in loser
            assert [(event.version, event.move) for event in registry.history()] == [
                (n, n) for n in range(1, number + 1)
            ]
            assert champion(registry) == number
        for number in range(ROUNDS, 2 * ROUNDS):
            present, told = champion(registry), len(registry.history())
            newest = challenge(registry)
            said = meet(number)
            (winner,) = (one for one in said if one["moved"])
            (loser,) = (one["says"] for one in said if not one["moved"])
            assert champion(registry) == winner["version"] != present
            assert f"version {winner['version']} became the champion meanwhile" in loser and "thaw models log" in loser
            history = registry.history()
            assert len(history) == told + 1 and history[-1].former == present
            if winner["version"] != newest:  # the rollback was first: leave it one to go back to
                promote(PARAMS)
