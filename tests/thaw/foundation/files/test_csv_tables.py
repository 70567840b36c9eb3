"""Tables that people have edited."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thaw.foundation.errors import BadTable
from thaw.foundation.files.csv_tables import read_rows, write_rows

TEXT = st.text(st.characters(exclude_characters="\r\x00", exclude_categories=["Cs"]))


@given(st.lists(st.tuples(TEXT.filter(str.strip), TEXT)))
def test_what_was_written_is_read(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]) -> None:
    path = tmp_path_factory.mktemp("tables") / "table.csv"
    write_rows(path, ("one", "two"), rows)
    assert [(row["one"], row["two"]) for row in read_rows(path, ("one", "two"))] == rows


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_spreadsheet_programs_may_save_it(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "table.csv"
    text = "\r\n".join(separator.join(cells) for cells in ((" Label", "DIGEST"), ("蜂", "ab"), ("", ""))) + "\r\n\r\n"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_rows(path, ("digest", "label")) == [{"label": "蜂", "digest": "ab"}]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"path,label\na,b\n", "has no column digest, only path, label"),
        (b"", "only none"),
        (b"digest,label\n\xe9,b\n", r"not UTF-8 text \(byte 13\); save it as CSV UTF-8"),
        (b"digest,label\na,b,c\n", "row 1 has 3 fields, and the heading has 2"),
        (b'digest,label\n"a"b,c\n', "not valid CSV"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(BadTable, match=says):
        read_rows(path, ("digest", "label"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadTable, match=r"table\.csv cannot be read"):
        read_rows(tmp_path / "table.csv", ())
