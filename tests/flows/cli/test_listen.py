"""`thaw listen`, as a user gives it."""

import json
from pathlib import Path

import pytest
import soundfile
import torch
from listening_models import RATE, noise, trigger_model
from typer.testing import CliRunner

from flows.cli.app import app
from thaw.models.listening.listener import Listener
from thaw.models.listening.storage import write_trigger


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("listening") / "trigger"
    write_trigger(trigger_model(threshold=-1.0), path)
    return path


def test_a_file_and_a_pipe_have_the_same_events(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(5).clamp(-1, 1).numpy(), RATE)
    wave = soundfile.read(path, dtype="float32")[0]
    told = CliRunner().invoke(app, ["listen", str(path), "--model", str(folder), "--json"])
    assert told.exit_code == 0, told.output
    events = [json.loads(line) for line in told.stdout.splitlines()]
    assert "view glass: at most 0.43 false accepts an hour (95 %; 0 in 7 hours)" in told.stderr
    expected = Listener(trigger_model(threshold=-1.0)).feed(torch.from_numpy(wave)).events
    assert expected and [(each["word"], each["at_s"]) for each in events] == [
        (each.word, each.at_s) for each in expected
    ]
    plain = (wave * 2**15).astype("<i2").tobytes()
    for content in (path.read_bytes(), plain):
        piped = CliRunner().invoke(app, ["listen", "-", "--model", str(folder), "--json"], input=content)
        assert [json.loads(line)["at_s"] for line in piped.stdout.splitlines()] == [each.at_s for each in expected]
    text = CliRunner().invoke(app, ["listen", str(path), "--model", str(folder)])
    assert text.stdout.splitlines()[0].strip().startswith(f"{expected[0].at_s:.2f} s  view glass  (")


def test_what_cannot_be_heard_is_told_in_one_line(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("no sound")
    for source, model, words in (
        (tmp_path / "a.wav", folder, "cannot be read as sound"),
        (tmp_path / "b.wav", folder, "b.wav cannot be read (No such file"),
        (
            tmp_path / "a.wav",
            tmp_path / "none",
            "cannot be read (No such file or directory); `thaw trigger` or `thaw run` makes it",
        ),
    ):
        told = CliRunner().invoke(app, ["listen", str(source), "--model", str(model)])
        assert told.exit_code == 1 and words in told.output.replace("\n", ""), told.output
    for arguments in (
        [],
        ["a.wav", "--microphone"],
        ["-", "--timeline", "a.html"],
        ["--microphone", "--timeline", "a.html"],
    ):
        assert CliRunner().invoke(app, ["listen", *arguments]).exit_code == 2
