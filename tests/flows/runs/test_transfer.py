"""The flow over a real DVC: order, failures, retries; and the same record as a hand-typed `dvc repro`."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from commands import Thaw
from process_family import command_of, left_of
from started import lay_prefect_home
from terminal import Terminal
from toy import build_toy, environment, is_recorded, ran

pytestmark = pytest.mark.slow


def test_failures_retries_and_the_same_lock_as_dvc(
    tmp_path: Path, prefect: str, thaw: Thaw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", prefect)
    root = build_toy(tmp_path / "toy")
    (root / "last.order").write_text("fail")
    (root / "left.order").write_text("pass-later")
    failed = thaw("run", cwd=root, code=3)
    last = failed.stderr.strip().splitlines()[-1]
    assert "`last` failed" in last and "the input is bad" in last and "thaw run" in last
    assert sorted(ran(root)) == ["first", "last", "left", "left", "right"], (
        "left was tried again, what is done stays done"
    )

    (root / "last.order").unlink()
    done = json.loads(thaw("run", "--json", cwd=root).stdout)
    assert {stage["name"]: stage["outcome"] for stage in done["stages"]} == {
        "first": "up to date", "left": "up to date", "right": "up to date", "last": "ran",
    }  # fmt: skip
    by_flow = (root / "dvc.lock").read_text()
    repro = subprocess.run(["dvc", "repro"], cwd=root, env=environment(), capture_output=True, text=True, check=True)
    assert "up to date" in repro.stdout + repro.stderr
    assert (root / "dvc.lock").read_text() == by_flow

    twin = build_toy(tmp_path / "twin")
    subprocess.run(["dvc", "repro", "--quiet"], cwd=twin, env=environment(), check=True)
    from ruamel.yaml import YAML

    assert YAML(typ="safe").load(by_flow) == YAML(typ="safe").load((twin / "dvc.lock").read_text())


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_killed_it_leaves_no_server_and_no_stage_behind(
    end: signal.Signals, tmp_path: Path, prefect_home: Path
) -> None:
    root = build_toy(tmp_path / "toy")
    lay_prefect_home(prefect_home, root)
    (root / "left.order").write_text("hang")
    command, own = [sys.executable, "-m", "flows.cli", "run"], {"PYTHONPATH": str(Path.cwd()), "PREFECT_API_URL": ""}
    run = subprocess.Popen(
        command, cwd=root, env=environment() | own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 180
    while "left" not in ran(root):
        assert run.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    family = psutil.Process(run.pid).children(recursive=True)
    said = [command_of(process) for process in family]
    assert any("temporary_program" in one for one in said) and any("stage.py left" in one for one in said)
    run.send_signal(end)
    run.wait(60)
    assert not left_of(family)


def test_until_a_stage_means_all_that_it_needs(tmp_path: Path) -> None:
    from flows.dvc.stage_graph import read_stages
    from flows.dvc.stage_parameters import refuse_unknown
    from flows.project.errors import UnknownStage
    from flows.runs.outcome import Selection, choose

    stages = read_stages(build_toy(tmp_path / "toy"))

    def names(wanted: Selection) -> set[str]:
        return {stage.name for stage in choose(stages, wanted)}

    assert names(Selection(until="left")) == {"first", "left"}
    assert names(Selection(until="last")) == names(Selection()) == {"first", "left", "right", "last"}
    assert names(Selection(only="left")) == {"left"}
    with pytest.raises(UnknownStage, match=r"no stage `lft` in dvc\.yaml; the stages are: first, left, right, last"):
        refuse_unknown(tmp_path / "toy", None, "lft")


def test_while_it_runs_other_commands_tell_of_it_and_ctrl_c_ends_it_at_once(
    tmp_path: Path, prefect_home: Path, thaw: Thaw
) -> None:
    root = build_toy(tmp_path / "toy")
    lay_prefect_home(prefect_home, root)
    (root / "last.txt").write_text("the last good one")
    (root / "left.order").write_text("wait")
    own = {"PYTHONPATH": str(Path.cwd()), "PREFECT_API_URL": "", "COLUMNS": "200"}
    run = Terminal([sys.executable, "-m", "flows.cli", "run"], root, environment() | own)
    run.wait_for(lambda: "left" in ran(root) and is_recorded(root, b"1right"))

    account = root / ".thaw/run.json"
    run.wait_for(lambda: "left says hello" in account.read_text())

    status = thaw("status", cwd=root)
    assert "a run is going on (process" in status.stderr and "left since" in status.stderr
    told = json.loads(thaw("status", "--json", cwd=root).stdout)
    assert {each["name"]: each["state"] for each in told["stages"]} == {
        "first": "up to date", "left": "running", "right": "up to date", "last": "not known",
    }  # fmt: skip
    assert told["run"]["at_work"][0]["says"] == "left says hello"
    assert "a run is going on" in thaw("models", cwd=root).stderr
    assert "there is no stage `hed`" in thaw("run", "--stage", "hed", cwd=root, code=1).stderr, "it does not wait"

    code, lines = run.interrupt()
    assert code == 130
    assert lines[-1] == "interrupted; what is finished is kept, and the same command goes on from there"
    assert all(line.startswith(("left ", "right ")) for line in lines[:-1]), "only the display, which is wiped"
    assert (root / "last.txt").read_text() == "the last good one"
    with sqlite3.connect(root / ".thaw/prefect/prefect.db") as database:
        assert database.execute("select name, state_type from flow_run").fetchall() == [("toy", "CANCELLED")]
    assert "a run is going on" not in thaw("status", cwd=root).stderr


def test_while_a_hand_typed_dvc_runs_its_lock_is_no_trouble(tmp_path: Path, thaw: Thaw) -> None:
    root = build_toy(tmp_path / "toy")
    (root / "left.order").write_text("wait")
    repro = subprocess.Popen(["dvc", "repro"], cwd=root, env=environment(), stdout=subprocess.DEVNULL)
    try:
        while "left" not in ran(root):
            assert repro.poll() is None
            time.sleep(0.05)
        status = thaw("status", cwd=root)
        assert f"DVC is at work on this project (process {repro.pid}: `dvc repro`)" in status.stderr
        assert "not known" in status.stdout and "rwlock" not in status.stdout + status.stderr
    finally:
        (root / "left.go").touch()
        assert repro.wait(60) == 0
