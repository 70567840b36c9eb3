"""How a stage's process ends."""

import subprocess
import sys

import pytest


def ended(body: str) -> subprocess.CompletedProcess[str]:
    code = f"from tasks.project.entry import stage\nfrom thaw.foundation.errors import *\ndef main():\n    {body}\nstage(main)\n"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("body", "code", "line"),
    [
        ("pass", 0, ""),
        ("raise BadSource('no folder; make one')", 1, "no folder; make one\n"),
        ("raise Unreachable('no network')", 75, "no network\n"),
        (
            "raise KeyboardInterrupt",
            130,
            "interrupted; no file is half-written, and another run continues\n",
        ),
        (
            "raise OSError(28, 'No space left on device', 'data/x')",
            1,
            "data/x cannot be written or read: No space left on device\n",
        ),
    ],
)
def test_what_a_user_can_mend_is_one_line(body: str, code: int, line: str) -> None:
    result = ended(body)
    assert (result.returncode, result.stderr, result.stdout) == (code, line, "")


@pytest.mark.parametrize("body", ["raise ValueError('a defect')", "raise FileNotFoundError(2, 'none', 'x')"])
def test_a_defect_keeps_its_traceback(body: str) -> None:
    result = ended(body)
    assert result.returncode == 1
    assert "Traceback" in result.stderr


def test_own_log_lines_are_seen_and_those_of_libraries_are_not() -> None:
    names = ("thaw.x", "tasks.y", "__main__", "torch")
    body = f"import logging; [logging.getLogger(name).info(name) for name in {names}]"
    assert ended(body).stderr.split() == ["thaw.x", "tasks.y", "__main__"]
