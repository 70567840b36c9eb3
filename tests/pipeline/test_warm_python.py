"""A command of the warm Python is like that of the real one: output, exit code, environment, signals."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

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


def test_other_commands_are_the_real_python_s_and_what_they_start_is_warm_again(warm: Path, flows: Path) -> None:
    code = "import subprocess, sys; print('torch' in sys.modules, flush=True); subprocess.run([sys.executable, '-m', 'flows.probe', '0'])"
    own = {"WORD": "a=b", "PYTHONPATH": str(flows)}
    shown = subprocess.run(
        [warm / "python", "-c", code], cwd=flows, env=os.environ | own, capture_output=True, text=True, check=True
    )
    assert shown.stdout == f"False\n['0'] a=b {flows} True False\n"


def test_the_real_python_has_the_environment_s_packages(warm: Path) -> None:
    code = "import sys, torch; print(torch.__file__, sys.base_prefix)"
    command = [str(warm / "python"), "-c", code]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert Path(shown[0]).samefile(torch.__file__) and shown[1] == sys.base_prefix


def test_forked_takes_code_and_scripts(warm: Path, tmp_path: Path) -> None:
    code = "import sys; print(sys.argv, __name__, 'torch' in sys.modules, 'thaw' in sys.modules)"
    (tmp_path / "probe.py").write_text(code)
    for words, name in ((["-c", code], "-c"), (["probe.py"], "probe.py")):
        shown = subprocess.run(
            [warm / "forked", *words, "a b"], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert shown.stdout == f"['{name}', 'a b'] __main__ True False\n"


def test_prefect_has_the_settings_of_the_command(warm: Path, tmp_path: Path) -> None:
    code = (
        "import os, importlib.resources as r; os.environ['PREFECT_HOME'] = 'home'\n"
        "import prefect.settings as s; from prefect import flow; assert (r.files('prefect') / 'flows.py').is_file()\n"
        "print(s.get_current_settings().api.url, s.PREFECT_HOME.value().absolute(), flow(lambda: 3, name='x').name)\n"
        "from prefect.logging import get_logger; get_logger('probe').error('told'); get_logger('probe').critical('told indeed')"
    )
    own = os.environ | {
        "PREFECT_API_URL": "http://localhost:1/api",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    }
    shown = subprocess.run(
        [warm / "forked", "-c", code], cwd=tmp_path, env=own, capture_output=True, text=True, check=True
    )
    assert shown.stdout == f"http://localhost:1/api {tmp_path}/home x\n"
    assert shown.stderr.count("told") == 1, shown.stderr
