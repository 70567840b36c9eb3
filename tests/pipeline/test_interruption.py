"""Kill it anywhere, run it again: nothing lost, nothing computed twice. Two at once: neither corrupts."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from project import CHEAP, PROGRAMS, Project, clone
from registration import copy_empty_store
from terminal import Terminal

pytestmark = pytest.mark.slow

LAYERS = 4
"""Cut layers of the default backbone that `backbone.layers: [blocks]` keeps."""


@pytest.fixture
def project(tmp_path: Path, prefect: str, empty_store: Path, warm: Path) -> Project:
    """A fresh project whose commands are processes of their own, as a user's are."""
    made = clone(tmp_path / "project", (*CHEAP, "backbone.layers=[blocks]"), prefect=prefect, programs=warm)
    copy_empty_store(empty_store, made.root)
    return replace(made, programs=PROGRAMS)


def kill_tree(process: "subprocess.Popen[str]") -> None:
    """SIGKILL to a command and all that it started, its stages in groups of their own among them."""
    family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    for member in family:
        with suppress(ProcessLookupError):
            os.kill(member.pid, signal.SIGKILL)
    psutil.wait_procs(family, timeout=10)
    process.wait()


def wait_for(condition: Callable[[], object], process: "subprocess.Popen[str]") -> None:
    while not condition():
        assert process.poll() is None, f"it ended before it could be killed:\n{process.stdout.read()}"  # type: ignore[union-attr]
        time.sleep(0.01)


def forward_passes(project: Project) -> tuple[int, int]:
    """(features already there, forward passes) by the log of the last extract."""
    log = (project.root / ".thaw/logs/extract.log").read_text()
    found = re.search(r"(\d+) with features already, (\d+) forward passes", log)
    assert found, log
    return int(found[1]), int(found[2])


def test_killed_in_extract_and_in_track_then_run_again(project: Project, warm: Path) -> None:
    quick = replace(project, programs=warm)  # for what is not killed
    quick.set("extract.part_rows=64", "extract.batch_size=16", "extract.workers=1")
    quick.run("thaw", "run", "--until", "ingest")
    first = project.start("thaw", "run")
    wait_for(lambda: len(project.parts()) >= 2 * LAYERS + 1, first)
    kill_tree(first)
    # An image is done once it is in every layer; a kill may fall between two layers of the same images.
    by_layer = Counter(part.parent for part in project.parts())
    kept = min(by_layer.values())
    assert len(by_layer) == LAYERS and kept >= 2
    assert not (project.root / "data/features.json").exists()

    quick.run("thaw", "run", "--until", "evaluate")
    cached, computed = forward_passes(project)
    assert (cached, computed) == (kept * 64, cached + computed - kept * 64)
    second = project.start("thaw", "run")
    database = project.root / ".thaw/mlflow.db"
    wait_for(lambda: database.exists() and has_run(database), second)
    kill_tree(second)
    assert not (project.root / "data/tracked.json").exists()

    output = quick.run("thaw", "run")
    assert "champion" in output
    versions = quick.json("models")["versions"]
    assert [version["aliases"] for version in versions] == [["challenger", "champion"]]
    assert quick.json("run")["nothing_to_do"]


def has_run(database: Path) -> bool:
    """Whether MLflow has a run: `track` is in its middle."""
    import sqlite3

    try:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=1) as connection:
            return bool(connection.execute("select count(*) from runs").fetchone()[0])
    except sqlite3.OperationalError:
        return False


def test_two_runs_at_once_one_waits_and_neither_corrupts(project: Project, warm: Path) -> None:
    quick = replace(project, programs=warm)  # for what is not killed
    both = [quick.start("thaw", "run", "--until", "extract") for _ in range(2)]
    outputs = [process.communicate(timeout=600)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], "\n".join(outputs)
    assert sum("another run" in output for output in outputs) == 1
    assert sum("Nothing to do" in output for output in outputs) == 1
    assert forward_passes(project)[1] == 1797, "no image has gone through the network again"
    impatient = project.start("thaw", "run", "--force")
    wait_for((project.root / ".thaw/run.lock").read_text, impatient)
    assert "another run" in quick.run("thaw", "run", "--no-wait", code=1)
    kill_tree(impatient)


@pytest.fixture(scope="module")
def small_project(tmp_path_factory: pytest.TempPathFactory, prefect: str, built_project: Path) -> Project:
    """A project of pictures of noise where every stage before `track` has run."""
    project = clone(tmp_path_factory.mktemp("small") / "project", prefect=prefect)
    shutil.copytree(built_project, project.root, dirs_exist_ok=True)
    project.run("dvc", "repro", "--quiet", "code")
    return project


@pytest.mark.parametrize("stage", ["extract", "advise", "evaluate", "track"])
def test_ctrl_c_in_a_stage_is_one_line_at_once_and_the_last_good_outputs_stay(
    small_project: Project, stage: str
) -> None:
    root = small_project.root
    account, before = root / ".thaw/run.json", outputs(root)
    account.unlink(missing_ok=True)
    command = [sys.executable, "-m", "flows.cli", "run", "--stage", stage, "--force"]
    run = Terminal(command, root, small_project.environment())
    run.wait_for(lambda: account.exists() and f'"at_work": [{{"stage": "{stage}"' in account.read_text())
    run.wait_for(lambda: [each for each in at_work(root) if f"tasks.stages.{stage}" in " ".join(each)])
    code, lines = run.interrupt()
    assert code == 130, run.shown()
    assert [line for line in lines if not line.startswith((stage, "code", "settings", "\u2713"))] == [
        "interrupted; what is finished is kept, and the same command goes on from there"
    ]
    assert outputs(root) == before
    wait_until(lambda: not at_work(root), "a process of the run is still there")


def wait_until(condition: Callable[[], object], otherwise: str) -> None:
    """Wait a minute at most."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.05)


def outputs(root: Path) -> dict[Path, bytes]:
    """What the stages have written whole; a folder that is being written has a hidden name."""
    files = [path for path in (root / "data").rglob("*") if path.is_file()]
    return {path: path.read_bytes() for path in files if "/." not in path.relative_to(root).as_posix()}


def at_work(root: Path) -> list[list[str]]:
    """The command lines of the processes in the folder."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.cwd() == str(root) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.cmdline())
    return found
