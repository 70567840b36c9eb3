"""`thaw export --trigger`, by the commands of the page: the program listens in a process that has neither Thaw nor torch."""

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from click.testing import Result
from documented import DOCS, block_with
from listening_models import RATE, noise, trigger_model
from typer.testing import CliRunner

from flows.cli.app import app
from thaw.foundation.errors import BadExport
from thaw.models.listening.exporting.folder import GRAPH, check_graph
from thaw.models.listening.listener import Listener
from thaw.models.listening.storage import write_trigger

EXPORT, LISTEN, PIPE = block_with(DOCS / "wake-word.md", "thaw export --trigger").splitlines()
MODEL = trigger_model(layers=2, threshold=-1.0)
ALONE = "import runpy, sys; del sys.argv[0]; sys.modules.update(thaw=None, torch=None, soxr=None); runpy.run_path(sys.argv[0], run_name='__main__')"
"""Runs a program that can import neither Thaw nor what else it must not need."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("exported")
    write_trigger(MODEL, root / "data/trigger")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        told = exported()
    assert told.exit_code == 0 and "python exported/listen.py FILE" in told.stdout, told.output
    yield root


def exported(*options: str) -> Result:
    return CliRunner().invoke(app, [*shlex.split(EXPORT)[1:], *options])


def listened(folder: Path, line: str, *options: str, content: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    """A line of the page after `python`, in a process of its own."""
    command = [sys.executable, "-I", "-c", ALONE, *shlex.split(line)[1:], *options]
    return subprocess.run(command, cwd=folder, input=content, capture_output=True, check=False)


def lines_of(done: "subprocess.CompletedProcess[bytes]") -> list[dict[str, object]]:
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("seconds", [0.7, 1.2, 6.004])
def test_a_file_and_a_pipe_have_the_scores_and_events_of_the_listener(folder: Path, seconds: float) -> None:
    soundfile.write(folder / "monday.flac", noise(seconds).clamp(-1, 1).numpy(), RATE)
    wave = soundfile.read(folder / "monday.flac", dtype="float32")[0]
    listener = Listener(MODEL)
    heard = [listener.feed(torch.from_numpy(wave)), listener.end()]
    scores = torch.cat([each.scores for each in heard])[:, 0].numpy()
    events = [event.at_s for each in heard for event in each.events]
    found = lines_of(listened(folder, LISTEN, "--scores"))
    np.testing.assert_allclose([each["score"] for each in found], scores, atol=1e-4, rtol=1e-4)
    assert [each["at_s"] for each in found if each["event"]] == events
    assert [each["at_s"] for each in lines_of(listened(folder, LISTEN))] == events
    plain = (wave * 2**15).astype("<i2").tobytes()
    piped = lines_of(listened(folder, PIPE.partition("| ")[2], content=plain))
    assert [each["at_s"] for each in piped] == events and all(each["word"] == "view glass" for each in piped)


def test_another_rate_is_refused_with_what_to_do(folder: Path) -> None:
    soundfile.write(folder / "high.wav", noise(1).numpy(), 44_100)
    done = listened(folder, "python exported/listen.py high.wav")
    assert done.returncode == 1
    assert (
        b"high.wav has 44100 samples a second, and the trigger takes 16000; run: ffmpeg -i high.wav -ar 16000"
        in done.stderr
    )


def test_a_folder_that_is_there_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    told = exported()
    assert told.exit_code == 1 and "exported exists already" in told.output.replace("\n", "")
    told = CliRunner().invoke(app, ["export", "--trigger", "exported", "--out", "other"])
    assert told.exit_code == 1 and "makes it" in told.output.replace("\n", "")
    assert not (folder / "other").exists()


def test_a_graph_of_another_model_is_told_apart(folder: Path) -> None:
    assert check_graph(MODEL, folder / "exported" / GRAPH) <= 1e-4
    with pytest.raises(BadExport, match=r"from those of the model, and 0\.0001 is allowed"):
        check_graph(trigger_model(layers=1), folder / "exported" / GRAPH)
