"""Progress in a log and on a terminal."""

import logging
import os
import pty
import subprocess
import sys

import pytest

from tasks.project.progress import counted


def test_a_log_has_a_line_for_each_tenth(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with counted("extract", "images") as progress:
        for done in range(1, 1001):
            progress(done, 1000)
    assert len(caplog.messages) == 10
    assert caplog.messages[0] == "extract: 100 of 1000 images (10%)"
    assert caplog.messages[-1] == "extract: 1000 of 1000 images (100%)"


@pytest.mark.parametrize(
    ("steps", "lines"),
    [([(1, 3), (2, 3), (3, 3)], 3), ([(7, 7)], 1), ([(0, 0)], 0), ([(64, 65), (65, 65)], 2)],
)
def test_few_steps_give_few_lines(caplog: pytest.LogCaptureFixture, steps: list[tuple[int, int]], lines: int) -> None:
    caplog.set_level(logging.INFO)
    with counted("head", "trials") as progress:
        for done, total in steps:
            progress(done, total)
    assert len(caplog.messages) == lines


def test_a_terminal_shows_a_bar() -> None:
    code = "from tasks.project.progress import counted\nwith counted('ingest', 'files') as p:\n    p(1, 2); p(2, 2)\n"
    master, slave = pty.openpty()
    subprocess.run(
        [sys.executable, "-c", code],
        stderr=slave,
        check=True,
        timeout=60,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(slave)
    shown = os.read(master, 65536).decode()
    os.close(master)
    assert "ingest" in shown
    assert "2/2" in shown
    assert "━" in shown
