"""`thaw serve --trigger`, by the command and the program of the page: a real process that listens, and its end."""

import ast
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import soundfile
import torch
from documented import DOCS, block_with
from listening_models import RATE, noise, trigger_model
from typer.testing import CliRunner
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from flows.cli.app import app
from thaw.models.listening.listener import Listener
from thaw.models.listening.storage import write_trigger

COMMAND = shlex.split(block_with(DOCS / "wake-word.md", "thaw serve --trigger"), comments=True)
PROGRAM = block_with(DOCS / "wake-word.md", "from websockets")
MODEL = trigger_model(threshold=-1.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_trigger(MODEL, tmp_path / "data/trigger")
    soundfile.write(tmp_path / "monday.flac", noise(3).clamp(-1, 1).numpy(), RATE)
    return tmp_path


@contextmanager
def serving(folder: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The command on a free port: its process, and host and port."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "COLUMNS": "200"}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "flows.cli", *COMMAND[1:], "--port", "0"],
            cwd=folder, env=environment, text=True, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while not (found := re.search(r"serving on http://(\S+),", (folder / "log").read_text())):
            assert process.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.1)
        yield process, found[1]
    finally:
        process.kill()
        process.wait()


def test_a_stream_is_listened_to_and_ends_with_the_server(folder: Path) -> None:
    with serving(folder) as (process, place):
        program = PROGRAM.replace("127.0.0.1:8080", place)
        assert program != PROGRAM
        told = subprocess.run([sys.executable, "-c", program], cwd=folder, check=True, capture_output=True, text=True)
        ready, *events, end = [ast.literal_eval(line) for line in told.stdout.splitlines()]
        wave = torch.from_numpy(soundfile.read(folder / "monday.flac", dtype="float32")[0])
        assert ready["triggers"][0]["word"] == "view glass" and end["seconds"] == 3.0
        assert events and [event["at_s"] for event in events] == [
            event.at_s for event in Listener(MODEL).feed(wave).events
        ]
        with connect(f"ws://{place}/listen") as stream:
            stream.recv()
            process.send_signal(signal.SIGTERM)
            with pytest.raises(ConnectionClosed) as closed:
                stream.recv(timeout=30)
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 1012
        assert process.wait(timeout=60) == 0
        assert "stopped" in (folder / "log").read_text()


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--trigger", "none"], 1, "cannot be read"),
        (["--trigger", "data/trigger", "--model", "models:/a@champion"], 2, "without --model"),
    ],
)
def test_what_cannot_be_served_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], code: int, words: str
) -> None:
    monkeypatch.chdir(folder)
    told = CliRunner().invoke(app, ["serve", "--port", "0", *options])
    assert told.exit_code == code and words in told.output.replace("\n", ""), told.output
