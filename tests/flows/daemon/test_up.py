"""`thaw up`: one real server for all of these tests, which kill what it has started, and it at last."""

import json
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
from process_family import command_of, left_of
from registration import copy_empty_store
from started import lay_prefect_home
from toy import is_recorded, ran
from upped import Upped, hold_lock, wait_for
from web_hook import received

from flows.daemon.service_log import LOG

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, warm: Path, prefect_home: Path, empty_store: Path) -> Iterator[Upped]:
    upped = Upped(tmp_path_factory.mktemp("up") / "toy", warm)
    lay_prefect_home(prefect_home, upped.root)
    copy_empty_store(empty_store, upped.root)
    upped.start("--settle", "2")
    try:
        yield upped
    finally:
        if upped.process is not None and upped.process.poll() is None:
            upped.end(signal.SIGKILL)


def test_it_is_up_once_and_on_this_machine_alone(up: Upped) -> None:
    again = up.thaw("up")
    assert "it is up already (process" in again and all(address in again for address in up.addresses().values())
    assert "it is up already" in up.thaw("ui")
    listening = {
        connection.laddr.ip
        for process in up.family()
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_flows_have_a_form_with_descriptions_defaults_and_choices(up: Upped) -> None:
    fields = {}
    for name in ("transfer", "promote", "rollback"):
        found = up.ask(f"/deployments/name/{name}/{name}")
        assert found["enforce_parameter_schema"] and found["tags"] == ["thaw"]
        fields |= found["parameter_openapi_schema"]["properties"]
    assert all(field["description"] and "default" in field for field in fields.values())
    assert fields["busy"]["enum"] == ["wait", "skip"] and fields["busy"]["default"] == "wait"
    assert fields["stage"]["enum"][:2] == ["all", "first"] and fields["stage"]["default"] == "all"
    transfer = up.ask("/deployments/name/transfer/transfer")
    (schedule,) = transfer["schedules"]
    assert schedule["schedule"]["cron"] == "0 2 * * *" and schedule["active"]
    up.ask(
        f"/deployments/{transfer['id']}/pause_deployment", {}
    )  # the nightly run would be one run more, if it is night


def test_what_is_there_already_is_left_alone(up: Upped) -> None:
    before = up.ask("/automations/filter", {})
    assert len(before) == 2
    promote = up.ask("/deployments/name/promote/promote")["id"]
    up.ask(f"/deployments/{promote}/pause_deployment", {})
    assert "deployment promote: is up to date, stays paused" in up.thaw("schedule")
    assert up.ask("/deployments/name/promote/promote")["paused"]
    assert up.ask("/automations/filter", {}) == before, (
        "not even updated, which would make them forget what they wait for"
    )


def test_new_data_start_one_run_that_says_why(up: Upped) -> None:
    def followed() -> list[dict[str, object]]:
        body = {"flow_runs": {"tags": {"all_": ["new-data"]}}, "sort": "EXPECTED_START_TIME_ASC"}
        return list(up.ask("/flow_runs/filter", body))

    wait_for(followed, up.what_is_said)  # no run has seen the source yet
    (first,) = followed()
    assert up.ended(str(first["id"]))["type"] == "COMPLETED"
    (up.root / "photos/2.png").write_bytes(b"22")
    wait_for(lambda: len(followed()) == 2, up.what_is_said)
    second = followed()[1]
    assert second["parameters"] == {"why": "the source has 2 files, 1 more than before"}
    state = up.ended(str(second["id"]))
    assert state["message"] == "Nothing to do: every stage is up to date"
    assert "2 files, 1 more than before" in up.what_is_said()


def test_where_another_run_is_going_on_one_may_be_skipped(up: Upped) -> None:
    holder = hold_lock(up.root)
    try:
        waiting, skipped = up.run(), up.run(busy="skip")
        state = up.ended(skipped)
        assert (state["type"], state["name"]) == ("COMPLETED", "Skipped")
        assert f"another run (process {holder.pid}" in state["message"]
        wait_for(lambda: up.state(waiting)["type"] == "RUNNING", up.what_is_said)
    finally:
        holder.kill()
        holder.wait()
    assert up.ended(waiting)["name"] == "Completed"


def of_subject(messages: list[dict[str, str]], subject: str) -> list[dict[str, str]]:
    return [message for message in messages if message["subject"] == subject]


def late_event(up: Upped, run: str) -> dict[str, object]:
    """The event that Prefect's server sends when no worker has taken the run in time."""
    flow = up.ask(f"/flow_runs/{run}")["flow_id"]
    return {
        "id": str(uuid4()),
        "occurred": datetime.now(UTC).isoformat(),
        "event": "prefect.flow-run.Late",
        "resource": {"prefect.resource.id": f"prefect.flow-run.{run}"},
        "related": [
            {"prefect.resource.id": f"prefect.flow.{flow}", "prefect.resource.role": "flow"},
            {"prefect.resource.id": "prefect.tag.thaw", "prefect.resource.role": "tag"},
        ],
        "payload": {"validated_state": {"type": "SCHEDULED", "name": "Late"}},
    }


def test_a_failed_run_is_told_with_what_to_do(up: Upped) -> None:
    with received() as (address, messages):
        add = ("notify", "add", "team", f"{address}/s3cr3t")
        assert "Dry run" in up.thaw(*add, "--dry-run") and json.loads(up.thaw("notify", "list", "--json")) == []
        assert "Set up" in up.thaw(*add, "--on", "late")
        assert "Changed" in up.thaw(*add, "--on", "failed", "--on", "late")
        listed = up.thaw("notify", "list", "--json")
        assert json.loads(listed) == [{"name": "team", "on": ["failed", "late"], "to": "web hook 127.0.0.1"}]
        up.thaw("notify", "test", "team")
        assert messages.pop()["subject"] == "thaw: a test"
        up.order("last", "fail")
        run = up.run(force=True, stage="last")
        assert up.ended(run)["type"] == "FAILED"
        up.order("last")
        # On a busy machine the run may have begun late too, which is told as well.
        wait_for(lambda: of_subject(messages, "thaw: transfer failed"), up.what_is_said)
        (message,) = of_subject(messages, "thaw: transfer failed")
        for part in (
            "stage `last` failed: the input is bad",
            "`thaw run` continues",
            "What to do: correct the error",
            f"flow-run/{run}",
        ):
            assert part in message["body"]
        messages.clear()
        up.ask("/events", [late_event(up, run)])  # it is written after the run has gone on to another state
        wait_for(lambda: messages, up.what_is_said)
        assert (
            of_subject(messages, "thaw: transfer late") == messages and "no worker has taken it" in messages[0]["body"]
        )
        assert "Removed" in up.thaw("notify", "remove", "team")
    assert "there is no notification `team`" in up.thaw("notify", "remove", "team", code=1)
    assert up.ask("/block_documents/filter", {"block_documents": {"name": {"like_": "thaw-notify"}}}) == []


def test_a_killed_run_goes_on_and_nothing_is_done_twice(up: Upped) -> None:
    (up.root / "input.txt").write_text("2")
    up.order("left", "hang")
    before = len(ran(up.root))
    run = up.run()
    wait_for(lambda: "left" in ran(up.root)[before:] and is_recorded(up.root, b"2right"), up.what_is_said)
    flow = up.flow_process(run)
    below = flow.children(recursive=True)
    assert any("stage.py" in command_of(process) for process in below)
    flow.kill()
    up.order("left")
    assert not left_of(below, 60)
    assert up.ended(run)["type"] == "COMPLETED"
    history = [state["name"] for state in up.ask(f"/flow_run_states/?flow_run_id={run}")]
    assert history.count("Crashed") == 1 and history.count("AwaitingRetry") == 1, history
    assert sorted(ran(up.root)[before:]) == ["first", "last", "left", "left", "right"]


def test_a_server_that_dies_is_started_again(up: Upped) -> None:
    (server,) = (process for process in up.family() if "prefect server start" in command_of(process))
    server.kill()
    wait_for(lambda: "prefect was started again" in up.what_is_said(), up.what_is_said)
    assert "prefect ended by itself" in up.what_is_said()
    wait_for(lambda: up.ask("/health"), up.what_is_said)
    assert up.ended(up.run())["type"] == "COMPLETED"


def test_what_is_stopped_goes_on_with_the_next_one_and_nothing_is_left_running(up: Upped) -> None:
    up.order("first", "hang")
    run = up.run(stage="first", force=True)
    before = ran(up.root).count("first")
    wait_for(lambda: ran(up.root).count("first") == before + 1, up.what_is_said)
    assert up.end(signal.SIGINT) == []
    assert up.process is not None and up.process.returncode == 0
    own = [
        line for line in up.what_is_said().splitlines() if "Task run 'first'" not in line
    ]  # the toy stage itself is rude
    assert not any("Traceback" in line for line in own) and "everything is stopped" in own[-1]
    assert not (up.root / ".thaw/servers.json").exists()
    up.order("first")
    up.start("--no-follow")
    assert up.ended(run)["type"] == "COMPLETED"
    log = (up.root / LOG).read_text()
    assert {"up", "prefect", "mlflow", "report", "schedule", "worker", "follow"} == {
        line.split("|")[0].split()[2] for line in log.splitlines() if " | " in line
    }


def test_killed_it_leaves_nothing_running(up: Upped) -> None:
    assert up.end(signal.SIGKILL) == []
    assert (up.root / ".thaw/servers.json").exists(), "and nobody believes it"
    assert "no Prefect server is up" in up.thaw("notify", "list", code=1)
