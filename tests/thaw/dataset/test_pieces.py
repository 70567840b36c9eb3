"""Pieces of recordings as examples: their names, their rows in a listing, and their way through the ingestion."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_sounds import tone, written

from thaw.dataset.ingestion import Ingested, ingest
from thaw.dataset.pieces import Piece, piece_in
from thaw.dataset.places import PiecePlace, Places
from thaw.dataset.sources import source_of_kind
from thaw.foundation.errors import BadSource
from thaw.kinds.registry import kind_named
from thaw.lineage.gathering import find_examples, link_examples
from thaw.params.sections import DatasetParams

SOUNDS = kind_named("sounds")


def recordings(root: Path) -> Path:
    """Two recordings in two folders."""
    for name, hertz in (("one", 300), ("two", 900)):
        (root / name).mkdir(parents=True)
        (root / name / "day.flac").write_bytes(written(tone(3, hertz=hertz), form="FLAC"))
    return root


def listed(root: Path, *rows: str, header: str = "path,label,start_s,end_s") -> Path:
    recordings(root)
    (root / "list.csv").write_text("\n".join((header, *rows)) + "\n")
    return root


def ingested(root: Path) -> Ingested:
    return ingest(Places(root), DatasetParams(source=str(root), listing="list.csv"), SOUNDS)


seconds = st.integers(0, 10**10).map(lambda millionths: millionths / 10**6)


@given(st.text(min_size=1), seconds, seconds)
def test_names_of_pieces_are_read_back(file: str, start: float, end: float) -> None:
    piece = Piece(file, start, end)
    assert piece_in(str(piece)) == piece
    assert piece_in(file) is None or "#t=" in file


def test_rows_with_times_are_pieces(tmp_path: Path) -> None:
    root = listed(
        tmp_path,
        "one/day.flac,bird,0.5,1.25",
        "one/day.flac,frog,2,2.5",
        "two/day.flac,bird,0,1",
        "two/day.flac,frog,,",
    )
    result = ingested(root)
    rows = {row.path: row for row in result.manifest.examples()}
    assert list(rows) == [
        "one/day.flac#t=0.5,1.25",
        "one/day.flac#t=2,2.5",
        "two/day.flac",
        "two/day.flac#t=0,1",
    ]
    assert [row.shape for row in rows.values()] == [(12_000, 1), (8_000, 1), (48_000, 1), (16_000, 1)]
    assert [row.group for row in rows.values()] == [*["one/day.flac"] * 2, *["two/day.flac"] * 2]
    assert len({row.digest for row in rows.values()}) == 4
    assert result.report.wrong_endings == 0
    place = Places(root).at("one/day.flac#t=2,2.5")
    assert isinstance(place, PiecePlace) and str(place) == f"{root}/one/day.flac#t=2,2.5"
    assert SOUNDS.inspect(place.read_bytes(), DatasetParams().limits).shape == (8_000, 1)


def test_pieces_may_have_sets_of_labels(tmp_path: Path) -> None:
    rows = ("one/day.flac,bird|rain,0.5,1.25", "one/day.flac,rain,2,2.5", "two/day.flac,|,0,1", "two/day.flac,bird,1,2")
    root = listed(tmp_path, *rows, header="path,labels,start_s,end_s")
    sets = [row.labels for row in ingested(root).manifest.examples()]
    assert sets == [("bird", "rain"), ("rain",), (), ("bird",)]


def test_a_group_of_the_listing_comes_before_the_recording(tmp_path: Path) -> None:
    header = "file,label,onset,offset,group"
    root = listed(tmp_path, "one/day.flac,bird,0,1,pond", "two/day.flac,frog,1,2,", header=header)
    found = source_of_kind(SOUNDS, root, "list.csv")
    assert [(one.path, one.group) for one in found.candidates] == [
        ("one/day.flac#t=0,1", "pond"),
        ("two/day.flac#t=1,2", "two/day.flac"),
    ]
    assert "The listing's column onset is read as start_s." in found.notes


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        ("2,1", "has start_s 2 and end_s 1 in the listing; the end is behind the start"),
        ("-1,1", "has start_s -1 and end_s 1"),
        ("1,nan", "has start_s 1 and end_s nan"),
        ("soon,1", "has start_s `soon` and end_s `1` in the listing; both are numbers of seconds"),
        ("1,", "both are numbers of seconds"),
        ("7,8", "has no samples"),
    ],
)
def test_times_that_cannot_be_are_rejected(times: str, reason: str, tmp_path: Path) -> None:
    root = listed(tmp_path, f"one/day.flac,bird,{times}", "one/day.flac,bird,0,1", "two/day.flac,frog,0,1")
    (rejected,) = ingested(root).rejected
    assert rejected.path.startswith("one/day.flac") and reason in rejected.reason


def test_one_column_of_times_alone_is_refused(tmp_path: Path) -> None:
    root = listed(tmp_path, "one/day.flac,bird,1", header="path,label,start_s")
    with pytest.raises(BadSource, match="has the column start_s without the column end_s; name both, in seconds"):
        source_of_kind(SOUNDS, root, "list.csv")


def test_kinds_without_pieces_leave_such_columns_alone(tmp_path: Path) -> None:
    root = listed(tmp_path, "one/day.flac,bird,0.5,1.25", "two/day.flac,frog,2,2.5")
    found = source_of_kind(kind_named("images"), root, "list.csv")
    assert [one.path for one in found.candidates] == ["one/day.flac", "two/day.flac"]
    assert "The listing's columns start_s, end_s are not used." in found.notes


def test_a_recording_that_is_gone_names_itself(tmp_path: Path) -> None:
    root = listed(tmp_path, "one/day.flac,bird,0,1", "two/day.flac,frog,0,1")
    place = Places(root).at("one/day.flac#t=0,1")
    (root / "one/day.flac").unlink()
    with pytest.raises(FileNotFoundError):
        place.read_bytes()


def test_pieces_are_found_again_for_a_rebuild(tmp_path: Path) -> None:
    root = listed(tmp_path / "now", "one/day.flac,bird,0.5,1.25", "one/day.flac,frog,2,2.5", "two/day.flac,bird,0,1")
    manifest = ingested(root).manifest
    found = find_examples(manifest, Places(root))
    assert found.complete and found.files == {name: root / name for name in ("one/day.flac", "two/day.flac")}
    link_examples(found, tmp_path / "then")
    (tmp_path / "then/list.csv").write_bytes((root / "list.csv").read_bytes())
    assert ingested(tmp_path / "then").manifest.table.equals(manifest.table)
    (root / "one/day.flac").unlink()
    lost = find_examples(manifest, Places(root))
    assert lost.gone == ("one/day.flac#t=0.5,1.25", "one/day.flac#t=2,2.5") and not lost.changed
