"""The Free Spoken Digit Dataset: an archive of its form, laid where the download would be kept."""

import csv
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from made_up_sounds import tone, written

from thaw.dataset import builtin, spoken_digits
from thaw.dataset.builtin import write_builtin
from thaw.dataset.ingestion import ingest
from thaw.dataset.places import Places
from thaw.foundation.errors import BadArtifact, Unreachable
from thaw.kinds.registry import kind_named
from thaw.params.sections import DatasetParams

NAMES = tuple(f"{digit}_{speaker}_0.wav" for digit in range(10) for speaker in ("george", "theo"))


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the archive would be kept; its address leads to a closed port."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(spoken_digits, "ARCHIVE", replace(spoken_digits.ARCHIVE, url="http://127.0.0.1:9/digits.zip"))
    return tmp_path / "torch" / "hub" / "datasets" / "free_spoken_digits.zip"


def lay(archive: Path, names: Sequence[str] = NAMES) -> None:
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as made:
        for number, name in enumerate(names):
            made.writestr(f"digits-1.0/recordings/{name}", written(tone(0.1, rate=8000, seed=number), 8000))
        made.writestr("digits-1.0/README.md", "Free Spoken Digit Dataset")


def test_an_archive_laid_by_hand_becomes_files_with_a_listing(archive: Path, tmp_path: Path) -> None:
    lay(archive)
    folder = tmp_path / "sources" / "spoken_digits"
    write_builtin(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["list.csv", "recordings"]
    with (folder / "list.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[:2] == [["path", "label", "group"], ["recordings/0_george_0.wav", "0", "george"]] and len(rows) == 21
    params = DatasetParams(source="x", listing="list.csv", max_rejected=0)
    report = ingest(Places(folder), params, kind_named("sounds")).report
    assert len(report.classes) == 10 and not any("No sound has a group" in note for note in report.notes)


@pytest.mark.parametrize(
    ("names", "why"),
    [((), "lacks recordings"), (("../0_george_0.wav", "x.wav"), "lacks recordings"), (NAMES[:18], "lacks")],
)
def test_another_archive_is_refused(archive: Path, tmp_path: Path, names: Sequence[str], why: str) -> None:
    lay(archive, names)
    with pytest.raises(BadArtifact, match=why):
        write_builtin(tmp_path / "spoken_digits")
    assert not (tmp_path / "spoken_digits").exists() and not list(tmp_path.rglob("*george*"))
    archive.write_bytes(b"PK another")
    with pytest.raises(BadArtifact, match="damaged or another file than"):
        write_builtin(tmp_path / "spoken_digits")


def test_without_network_it_says_where_to_lay_the_file(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="lay the file at") as raised:
        write_builtin(tmp_path / "spoken_digits")
    assert str(archive) in str(raised.value)
    assert "CC BY-SA 4.0" in str(builtin.DOWNLOADS["spoken_digits"])
