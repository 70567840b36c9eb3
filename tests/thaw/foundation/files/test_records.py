"""Records as JSON files."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from thaw.foundation.errors import BadArtifact
from thaw.foundation.files.records import read_record, write_record


@dataclass(frozen=True)
class Weighed:
    name: str
    grams: tuple[float, ...]


ADAPTER = TypeAdapter(Weighed)


def test_a_record_comes_back_and_the_same_gives_the_same_bytes(tmp_path: Path) -> None:
    ant, path = Weighed("蟻", (0.1, 1e-5)), tmp_path / "made/ant.json"
    write_record(ADAPTER, ant, path)
    assert read_record(ADAPTER, path, str) == ant
    before = path.read_bytes()
    write_record(ADAPTER, ant, path)
    assert path.read_bytes() == before
    assert before.decode().splitlines()[:2] == ["{", '  "name": "蟻",'] and before.endswith(b"}\n")


@pytest.mark.parametrize("text", [None, "", '{"name": "ant"', '{"name": "ant"}', '{"name": "ant", "grams": ["many"]}'])
def test_what_is_missing_damaged_or_of_another_version_is_said_in_the_callers_words(
    tmp_path: Path, text: str | None
) -> None:
    path = tmp_path / "ant.json"
    if text is not None:
        path.write_text(text)
    seen: list[Exception] = []

    def say(error: Exception) -> str:
        seen.append(error)
        return "weigh it again"

    with pytest.raises(BadArtifact, match=r"^weigh it again$") as raised:
        read_record(ADAPTER, path, say)
    assert raised.value.__cause__ is seen[0]
    assert isinstance(seen[0], OSError if text is None else ValidationError)
