"""Runs that die, on a real Prefect server: one that goes silent is taken up again, one that is killed again and again is not."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import StateType
from prefect.flow_engine import run_flow
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, PREFECT_LOGGING_TO_API_ENABLED, temporary_settings
from prefect.states import Crashed, Running
from started import prefect_server, serving

from flows.prefect_server.automations import put
from flows.prefect_server.crash_recovery import MOST_KILLS, RESCUED, refuse_after_kills, rescue
from flows.prefect_server.deployments import TAG
from flows.processes.ports import HOST, free_port

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, prefect_home: Path) -> Iterator[SyncPrefectClient]:
    home, port = tmp_path_factory.mktemp("prefect"), free_port(0)
    shutil.copytree(prefect_home, home, dirs_exist_ok=True)
    own = {
        PREFECT_API_URL: f"http://{HOST}:{port}/api",
        PREFECT_HOME: str(home),
        PREFECT_LOGGING_TO_API_ENABLED: False,
    }
    with (
        serving(prefect_server(home, port), home),
        temporary_settings(own),
        get_client(sync_client=True) as opened,
    ):
        yield opened


@flow(name=RESCUED)
def fragile() -> str:
    """A run that looks, as that of the pipeline does, how often it was killed."""
    refuse_after_kills()
    return "done"


def begun(client: SyncPrefectClient) -> UUID:
    """A deployment's run that has said once that it lives, and nothing since."""
    deployment = client.create_deployment(client.create_flow(fragile), RESCUED)
    run = client.create_flow_run_from_deployment(deployment, tags=[TAG]).id
    client.set_flow_run_state(run, Running(), force=True)
    return run


def history(client: SyncPrefectClient, run: UUID) -> list[str]:
    return [state.name or "" for state in client.read_flow_run_states(run)]


def test_one_that_goes_silent_is_dead_and_is_put_back_into_the_queue(client: SyncPrefectClient) -> None:
    for automation in rescue(silent_s=10, pause_s=10):  # Prefect allows no less
        assert put(client, automation), "it is new"
    run = begun(client)
    deadline = time.monotonic() + 120
    while "AwaitingRetry" not in history(client, run):
        assert time.monotonic() < deadline, history(client, run)
        time.sleep(0.5)
    crashed, again = client.read_flow_run_states(run)[-2:]
    assert (crashed.type, again.type) == (StateType.CRASHED, StateType.SCHEDULED)
    assert "No sign of life for 10 s" in str(crashed.message) and "finished stages are kept" in str(again.message)


@pytest.mark.parametrize("kills", [MOST_KILLS - 1, MOST_KILLS])
def test_one_that_is_killed_again_and_again_is_given_up(client: SyncPrefectClient, kills: int) -> None:
    run = client.create_flow_run(fragile).id  # of no deployment of ours: nobody looks after it
    for _ in range(kills):
        client.set_flow_run_state(run, Running(), force=True)
        client.set_flow_run_state(run, Crashed(), force=True)
    state = run_flow(fragile, client.read_flow_run(run), return_type="state")
    if kills < MOST_KILLS:
        assert state.is_completed()
    else:
        assert state.is_failed() and f"killed {kills} times and is not tried again" in str(state.message)
        assert "extract.batch_size" in str(state.message)
