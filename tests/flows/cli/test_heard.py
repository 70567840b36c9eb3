"""The events of recordings as lines, JSON, CSV and a table."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from flows.cli.heard import say_heard
from tasks.requests import hear
from tasks.requests.hear import HeardFile
from thaw.foundation.errors import BadSource
from thaw.models.prediction.answer import HeardAt

HEARD = (
    HeardFile("[red]a.wav", (HeardAt("alexa", 1.25), HeardAt("alexa", 3725.5))),
    HeardFile("b.wav", ()),
    HeardFile("c.wav", (), "is no sound"),
)


@pytest.fixture(autouse=True)
def heard(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(sources: Sequence[str], model: str | None) -> Iterator[HeardFile]:
        assert model == "models:/m/1"
        yield from (each for each in HEARD if each.path in sources)

    monkeypatch.setattr(hear, "hear", told)


def say(output: Path | None = None, *names: str, as_csv: bool = False, json: bool = False) -> None:
    say_heard(names or [each.path for each in HEARD], output, "models:/m/1", as_csv=as_csv, json=json)


def test_an_event_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    say()
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "[red]a.wav: alexa at 1.25 s",
        "[red]a.wav: alexa at 3725.50 s",
        "b.wav: no trigger",
        "c.wav: is no sound",
    ]


def test_programs_read_json_csv_and_a_table(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    say(json=True)
    first, second, third = json.loads(capsys.readouterr().out)
    assert first["events"] == [{"word": "alexa", "at_s": 1.25}, {"word": "alexa", "at_s": 3725.5}]
    assert (second["events"], third["reason"]) == ([], "is no sound")
    say(tmp_path / "heard.parquet", as_csv=True)
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows[:2] == [["path", "trigger", "at_s", "reason"], ["[red]a.wav", "alexa", "1.25", ""]] and len(rows) == 5
    assert pq.read_table(tmp_path / "heard.parquet")["at_s"].to_pylist() == [1.25, 3725.5, None, None]


def test_recordings_of_which_none_can_be_used_are_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BadSource, match=r"1 recordings given, and none can be used: `c\.wav` is no sound"):
        say(None, "c.wav")
    assert "c.wav: is no sound" in capsys.readouterr().out
