"""Rows of a listing that name pieces of recordings."""

from pathlib import Path

import fsspec
import pytest
from made_up_sounds import tone, written

from thaw.foundation.errors import BadExample, BadSource
from thaw.kinds.kind import Limits
from thaw.kinds.sounds.kind import KIND
from thaw.models.scoring.inputs import open_inputs
from thaw.models.scoring.names import Input
from thaw.models.scoring.taken import Taken

TAKEN = Taken(".wav", pieces=True)


def listed(root: Path, content: str, taken: Taken = TAKEN) -> list[Input]:
    (root / "day.flac").write_bytes(written(tone(3), form="FLAC"))
    (root / "list.csv").write_text(content)
    return list(open_inputs([str(root / "list.csv")], taken))


def test_pieces_have_their_names_and_their_content(tmp_path: Path) -> None:
    content = "path,start_s,end_s\nday.flac,0.5,1\nday.flac,,\nday.flac,2,1\ngone.flac,0,1\n"
    piece, whole, turned, gone = listed(tmp_path, content)
    assert (piece.path, whole.path) == ("day.flac#t=0.5,1", "day.flac")
    assert piece.place is not None and whole.place is not None and piece.stamp != whole.stamp
    lengths = [KIND.inspect(one.place.read(lambda _: None), Limits()).shape[0] for one in (piece, whole) if one.place]
    assert lengths == [8_000, 48_000]
    assert "the end is behind the start" in turned.reason
    assert gone.path == "gone.flac#t=0,1" and "does not exist" in gone.reason
    (tmp_path / "day.flac").unlink()
    with pytest.raises(BadExample, match="cannot be opened"):
        piece.place.read(lambda _: None)


def test_a_path_may_be_the_name_of_a_piece(tmp_path: Path) -> None:
    (piece,) = listed(tmp_path, 'path\n"day.flac#t=0.5,1"\n')
    assert piece.path == "day.flac#t=0.5,1" and piece.place is not None and not piece.reason


def test_other_kinds_know_no_pieces(tmp_path: Path) -> None:
    (whole,) = listed(tmp_path, "path,start_s,end_s\nday.flac,0.5,1\n", Taken(".jpg"))
    assert whole.path == "day.flac"


def test_one_column_of_times_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match="has the column end_s without the column start_s"):
        listed(tmp_path, "path,end_s\nday.flac,1\n")


def test_a_piece_at_another_place_says_what_to_do() -> None:
    files = fsspec.filesystem("memory")
    files.pipe("/pieces/list.csv", b"path,start_s,end_s\nday.flac,0,1\n")
    (piece,) = open_inputs(["memory://pieces/list.csv"], TAKEN)
    assert piece.place is None and "copy the recording to this machine" in piece.reason
