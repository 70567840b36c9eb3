"""`thaw trigger` and what its model hears, by the commands of the page."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from click.testing import Result
from documented import DOCS, block_with
from listening_models import RATE, noise
from shown_words import visible
from torch import Tensor
from typer.testing import CliRunner
from whistles import whistle

from flows.cli.app import app
from thaw.models.listening import cross_validation

CONVERT, TRAIN, LISTEN = block_with(DOCS / "wake-word.md", "thaw trigger").splitlines()
TIMELINE = block_with(DOCS / "wake-word.md", "thaw listen monday.flac --timeline").strip()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The working folder: clips, recordings of three speakers, one of them in two files, noise, a stream with the trigger in it, and the network."""
    root = tmp_path_factory.mktemp("trigger")
    for number in range(4):
        lay(root / f"clips/jarvis/{number}.wav", whistle(number))
    for number, name in enumerate(("anna/1.wav", "anna/2.wav", "ben/1.flac", "kim.wav")):
        lay(root / "recordings" / name, noise(4, number))
    (root / "recordings/notes.txt").write_text("no sound")
    lay(root / "kitchen.flac", noise(3, 50))
    stream = 0.2 * noise(6, 98)
    stream[2 * RATE : 2 * RATE + RATE // 2] += whistle(99)
    lay(root / "monday.flac", stream)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        assert typed(CONVERT).exit_code == 0
    yield root


@pytest.fixture(autouse=True)
def _inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the folder, with fewer trainings beside the model's own."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(cross_validation, "FOLDS", 2)


def lay(path: Path, wave: Tensor) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, wave, RATE)


def typed(line: str) -> Result:
    return CliRunner().invoke(app, shlex.split(line)[1:])


def test_a_trigger_is_trained_and_listened_for() -> None:
    trained = typed(f"{TRAIN} --json")
    assert trained.exit_code == 0, trained.output
    promise = json.loads(trained.stdout)
    assert promise["accepted"] == 0 and promise["missing_hours"] > 5 and promise["groups"] == 2
    assert promise["hours"] * 3600 in (pytest.approx(8), pytest.approx(12)), "two groups of the three tune"
    assert "left out: recordings/notes.txt cannot be read as sound (format not recognised)" in trained.stderr
    heard = typed(f"{LISTEN} --json")
    assert [json.loads(line)["word"] for line in heard.stdout.splitlines()] == ["jarvis"]
    page = visible(Path("data/trigger/report.html").read_text())
    assert "Of the clips of “jarvis”, " in page and "of 4 clips" in page and "they tuned the threshold" in page


def test_it_ends_with_what_it_wrote_and_a_timeline_is_drawn() -> None:
    told = typed(f"{TRAIN} --layers one --near service --near 'jar of ice'")
    assert told.stdout.splitlines()[-2:] == [
        "data/trigger/report.html: misses, false accepts, and sounds to listen to",
        "thaw listen FILE --model data/trigger",
    ]
    drawn = typed(TIMELINE)
    assert drawn.exit_code == 0 and drawn.stderr.splitlines()[-1] == "monday.html: the timeline"
    assert [line.split()[2] for line in drawn.stdout.splitlines()] == ["jarvis"]
    html = Path("monday.html").read_text()
    assert "“jarvis” is heard once in monday.flac (5.99 s)." in visible(html) and html.count("<audio") == 1


def test_all_noise_of_a_folder_is_taken(tmp_path: Path) -> None:
    """Two files are taken as the one that they were cut of."""
    whole = noise(3, 50)
    lay(tmp_path / "whole.wav", whole)
    lay(tmp_path / "parts/1.wav", whole[:RATE])
    lay(tmp_path / "parts/2.wav", whole[RATE:])
    told = [typed(f"{TRAIN} --layers one --json --noise {tmp_path / name}") for name in ("whole.wav", "parts")]
    assert all(each.exit_code == 0 for each in told) and told[0].stdout == told[1].stdout


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("--others none", "`none` does not exist; name a folder of sounds"),
        (
            "--others recordings/notes.txt",
            "has no sound that can be read (recordings/notes.txt cannot be read as sound",
        ),
        ("--others recordings/kim.wav", "recordings of two groups at least"),
        ("--architecture speech_embedding", "take speech_embedding-local"),
        ("--weights none.safetensors", "`thaw convert speech-embedding none.safetensors` makes it"),
    ],
)
def test_what_is_missing_is_told_in_one_line(more: str, words: str) -> None:
    found = typed(f"{TRAIN} {more}")
    assert found.exit_code == 1 and words in found.output.replace("\n", ""), found.output
    assert "Traceback" not in found.output
