"""`thaw trigger`, as a user gives it, and the model listens."""

import json
from pathlib import Path

import pytest
import soundfile
from listening_models import RATE, noise, weights
from safetensors.torch import save_file
from typer.testing import CliRunner
from whistles import whistle

from flows.cli.app import app
from thaw.backbones.encoders.speech_embedding import LOCAL
from thaw.kinds.sounds.preprocessing import WaveformPreprocessing


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips, recordings of three speakers, one of them in two files, and the backbone."""
    root = tmp_path_factory.mktemp("trigger")
    for number in range(4):
        lay(root / f"clips/{number}.wav", whistle(number))
    for number, name in enumerate(("anna/1.wav", "anna/2.wav", "ben/1.flac", "kim.wav")):
        lay(root / "others" / name, noise(4, number))
    (root / "others/notes.txt").write_text("no sound")
    stated = {"architecture": LOCAL, "preprocessing": WaveformPreprocessing(RATE).to_json()}
    save_file(dict(weights().tensors), root / "speech.safetensors", stated)
    return root


def lay(path: Path, wave: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, wave, RATE)


def told(folder: Path, *more: str) -> "list[str]":
    given = ("--others", "others", "--weights", "speech.safetensors", "--out", "made")
    return ["trigger", "whistle", "clips", *given, *more]


def test_a_trigger_is_trained_and_listened_for(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    trained = CliRunner().invoke(app, told(folder, "--json", "--one-layer"))
    assert trained.exit_code == 0, trained.output
    promise = json.loads(trained.stdout)
    assert promise["accepted"] == 0 and promise["missing_hours"] > 5 and promise["groups"] == 2
    assert promise["hours"] * 3600 in (pytest.approx(8), pytest.approx(12)), "two groups of the three tune"
    assert "left out: others/notes.txt cannot be read as sound" in trained.stderr
    stream = 0.2 * noise(6, 98)
    stream[2 * RATE : 2 * RATE + RATE // 2] += whistle(99)
    lay(tmp_path / "stream.wav", stream)
    heard = CliRunner().invoke(app, ["listen", str(tmp_path / "stream.wav"), "--model", "made", "--json"])
    assert [json.loads(line)["word"] for line in heard.stdout.splitlines()] == ["whistle"]


def test_what_is_missing_is_told_in_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    for more, words in (
        (("--others", "none"), "`none` does not exist; name a folder of sounds"),
        (("--others", "others/notes.txt"), "has no sound that can be read (others/notes.txt cannot be read as sound"),
        (("--others", "others/kim.wav"), "recordings of two groups at least"),
        (("--architecture", "speech_embedding"), "take speech_embedding-local"),
    ):
        found = CliRunner().invoke(app, told(folder, *more))
        assert found.exit_code == 1 and words in found.output.replace("\n", ""), found.output
        assert not found.output.startswith("Traceback")
