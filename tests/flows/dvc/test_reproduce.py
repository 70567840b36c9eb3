"""One stage at a time through a real DVC: what it says, how long it may take, and how it is stopped."""

import subprocess
import threading
import time
from pathlib import Path

import pytest
from toy import build_toy, environment, ran

from flows.dvc.output_parser import Outcome
from flows.dvc.reproduce import Order, Reproductions
from flows.project.errors import StageInterrupted


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return build_toy(tmp_path / "toy")


def test_it_runs_once_and_then_is_up_to_date(root: Path) -> None:
    lines: list[str] = []
    first = Reproductions(root).run(Order("first"), lines.append)
    assert "first says hello" in (root / ".thaw/logs/first.log").read_text()
    again = Reproductions(root).run(Order("first"))
    assert (first.outcome, again.outcome) == (Outcome.RAN, Outcome.UP_TO_DATE)
    assert "first says hello" in lines
    assert ran(root) == ["first"]
    status = subprocess.run(
        ["dvc", "status", "first"], cwd=root, env=environment(), capture_output=True, text=True, check=True
    )
    assert "up to date" in status.stdout


def test_a_failure_gives_the_stages_own_reason(root: Path) -> None:
    (root / "first.order").write_text("fail")
    result = Reproductions(root).run(Order("first"))
    assert result.outcome is Outcome.FAILED and "the input is bad" in result.reason


def test_what_may_pass_is_told_apart(root: Path) -> None:
    (root / "first.order").write_text("pass-later")
    assert Reproductions(root).run(Order("first")).outcome is Outcome.TRANSIENT
    assert Reproductions(root).run(Order("first")).outcome is Outcome.RAN


def test_a_stage_that_hangs_is_stopped_with_all_that_it_started(root: Path) -> None:
    (root / "first.order").write_text("hang")
    began = time.monotonic()
    result = Reproductions(root).run(Order("first", timeout_s=5))
    assert result.outcome is Outcome.TIMED_OUT and time.monotonic() - began < 60
    assert str(root) not in subprocess.run(["ps", "axo", "args"], capture_output=True, text=True, check=True).stdout


def test_what_dvc_says_of_its_remote_is_not_the_stages_own(root: Path) -> None:
    command = ["dvc", "remote", "add", "--quiet", "--default", "storage", "../storage"]
    subprocess.run(command, cwd=root, env=environment(), check=True)
    Reproductions(root).run(Order("first"))
    lines: list[str] = []
    assert Reproductions(root).run(Order("first", force=True), lines.append).outcome is Outcome.RAN
    assert lines == ["first says hello"]


def test_stages_see_the_variables_that_they_are_given(root: Path) -> None:
    (root / "stage.py").write_text("import os; open('first.txt', 'w').write(os.environ['THAW_TEST'])")
    Reproductions(root, {"THAW_TEST": "seen"}).run(Order("first"))
    assert (root / "first.txt").read_text() == "seen"


def test_stop_ends_what_runs(root: Path) -> None:
    (root / "first.order").write_text("hang")
    reproductions = Reproductions(root)
    stopper = threading.Timer(4, reproductions.stop)
    stopper.start()
    with pytest.raises(StageInterrupted):
        reproductions.run(Order("first"))
    stopper.join()
    (root / "first.order").unlink()
    assert Reproductions(root).run(Order("first")).outcome is Outcome.RAN


def test_the_last_good_output_is_there_while_a_stage_runs_and_after_it_failed(root: Path) -> None:
    Reproductions(root).run(Order("first"))
    (root / "input.txt").write_text("2")
    (root / "first.order").write_text("wait")
    seen = []

    def on_line(line: str) -> None:
        seen.append((root / "first.txt").read_text())
        (root / "first.order").write_text("fail")
        (root / "first.go").touch()

    assert Reproductions(root).run(Order("first"), on_line).outcome is Outcome.RAN
    (root / "input.txt").write_text("3")
    assert Reproductions(root).run(Order("first")).outcome is Outcome.FAILED
    assert (seen, (root / "first.txt").read_text()) == (["1first"], "2first")
    (root / "first.order").unlink()
    assert Reproductions(root).run(Order("first")).outcome is Outcome.RAN
    assert (root / "first.txt").read_text() == "3first"


@pytest.mark.parametrize("link", ["copy", "hardlink", "symlink"])
def test_outputs_of_an_earlier_run_are_restored_from_the_cache_which_no_run_writes_to(root: Path, link: str) -> None:
    command = ["dvc", "config", "cache.type", link]
    subprocess.run(command, cwd=root, env=environment(), check=True)
    for content in ("1", "2"):
        (root / "input.txt").write_text(content)
        assert Reproductions(root).run(Order("first")).outcome is Outcome.RAN
    kept = {path: path.read_bytes() for path in (root / ".dvc/cache/files").rglob("*") if path.is_file()}
    assert sorted(kept.values()) == [b"1first", b"2first"]
    (root / "input.txt").write_text("1")
    (root / "first.txt").unlink()
    (root / "first.txt").write_text("of somebody else")
    assert Reproductions(root).run(Order("first")).outcome is Outcome.RESTORED
    assert (root / "first.txt").read_text() == "1first"
    assert ran(root) == ["first", "first"]
    (root / "input.txt").write_text("3")
    Reproductions(root).run(Order("first"))
    assert {path: path.read_bytes() for path in kept} == kept
    command = ["dvc", "status", "first"]
    status = subprocess.run(command, cwd=root, env=environment(), capture_output=True, text=True, check=True)
    assert "up to date" in status.stdout
