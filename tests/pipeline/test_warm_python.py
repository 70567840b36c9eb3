"""A command of the warm Python is like that of the real one: output, exit code, environment, signals."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    """A folder with a module of its own in a package `flows`."""
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows/probe.py").write_text(
        "import os, sys, time\n"
        "print(sys.argv[1:], os.environ['WORD'], os.getcwd(), 'torch' in sys.modules, 'thaw' in sys.modules, flush=True)\n"
        "if sys.argv[1] == 'sleep': time.sleep(60)\n"
        "if sys.argv[1] == 'raise': raise ValueError(sys.argv[2])\n"
        "sys.exit(int(sys.argv[1]))\n"
    )
    return tmp_path


def start(warm: Path, flows: Path, *words: str) -> "subprocess.Popen[str]":
    command, own = [str(warm / "python"), "-m", "flows.probe", *words], {"WORD": "a=b", "PYTHONPATH": str(flows)}
    return subprocess.Popen(
        command, cwd=flows, env=os.environ | own, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip


def test_it_has_words_folder_environment_and_exit_code(warm: Path, flows: Path) -> None:
    process = start(warm, flows, "3", "two words")
    said, _ = process.communicate(timeout=60)
    assert said == f"['3', 'two words'] a=b {flows} True False\n" and process.returncode == 3


def test_an_error_keeps_its_traceback(warm: Path, flows: Path) -> None:
    process = start(warm, flows, "raise", "no luck")
    said, _ = process.communicate(timeout=60)
    assert "ValueError: no luck" in said and process.returncode == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_it(warm: Path, flows: Path, number: signal.Signals) -> None:
    process = start(warm, flows, "sleep")
    assert process.stdout is not None and "sleep" in process.stdout.readline()
    started = time.monotonic()
    os.killpg(process.pid, number)
    assert process.wait(30) == -number
    assert process.stdout.read() == "", "the command holds the pipe until it has ended"
    assert time.monotonic() - started < 30


def test_other_commands_are_the_real_python_s(warm: Path) -> None:
    shown = subprocess.run(
        [warm / "python", "-c", "import sys; print(sys.executable)"], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == sys.executable
