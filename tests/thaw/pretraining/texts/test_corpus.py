"""A corpus reads the same however its files are packed, and says what is wrong with them."""

import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thaw.foundation.errors import BadSource
from thaw.pretraining.texts.corpus import Corpus, lines_of

LINES = ["A first sentence.", "A second one – “naïve” \u0085 and 👍🏽.", "", "Another paragraph."]


def read(*files: Path, **settings: str) -> list[str]:
    return list(lines_of(Corpus(files, **settings)))


def packed(path: Path, content: bytes, how: str) -> Path:
    match how:
        case "plain":
            path.write_bytes(content)
        case "xz":
            path.write_bytes(lzma.compress(content))
        case "gz":
            path.write_bytes(gzip.compress(content))
        case "parquet":
            pq.write_table(pa.table({"text": content.decode().split("\n")[:-1]}), path)
    return path


@pytest.mark.parametrize("how", ["plain", "xz", "gz", "parquet"])
def test_every_packing_gives_the_same_lines(tmp_path: Path, how: str) -> None:
    content = "".join(f"{line}\n" for line in LINES).encode()
    assert read(packed(tmp_path / "no ending", content, how)) == [*LINES, ""], "the content tells, not the name"


def test_files_come_in_order_with_a_new_paragraph_each(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("\ufeffone\r\n  two  ")
    (tmp_path / "a").write_text("three\n")
    assert read(tmp_path / "b", tmp_path / "a") == ["one", "two", "", "three", ""]


def test_progress_ends_at_the_bytes_of_all_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("some words\n" * 30_000)
    told: list[tuple[int, int]] = []
    list(lines_of(Corpus((tmp_path / "a", tmp_path / "a")), lambda done, total: told.append((done, total))))
    assert len(told) >= 6 and told == sorted(told)
    assert {total for _, total in told} == {660_000} and told[-1][0] > 330_000


def test_an_encoding_is_taken_where_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(
        "café au lait, s'il vous plaît; où est la bibliothèque, à côté de l'église ?\n".encode("cp1252")
    )
    assert read(tmp_path / "a", encoding="cp1252")[0].startswith("café")
    with pytest.raises(BadSource, match=r"a is not UTF-8 text, and it looks like \w+; .* --encoding \w+"):
        read(tmp_path / "a")
    with pytest.raises(BadSource, match="klingon is no encoding"):
        read(tmp_path / "a", encoding="klingon")


def cut(path: Path, share: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])


@pytest.mark.parametrize("how", ["xz", "gz", "parquet"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_file_that_is_cut_short_is_told(tmp_path: Path, how: str, share: float) -> None:
    content = "".join(f"sentence {number * number} of many\n" for number in range(5000)).encode()
    cut(packed(tmp_path / "a", content, how), share)
    with pytest.raises(BadSource, match=r"a is damaged, or cut short .*fetch it again"):
        read(tmp_path / "a")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "is no file"),
        (lambda path: path.mkdir(), "is no file"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(b"one\nt\0wo\n"), r"line 2 holds NUL bytes"),
        (lambda path: path.write_bytes(b"x " * 600_000), r"line 1 has more than 1,000,000 characters"),
        (lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\n"), "is a Git LFS pointer"),
        (
            lambda path: pq.write_table(pa.table({"body": ["a"]}), path),
            "no column text; it has body; give one as --column",
        ),
        (lambda path: pq.write_table(pa.table({"text": [1]}), path), "the column text holds int64, and no texts"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, make: Callable[[Path], object], says: str) -> None:
    make(tmp_path / "a")
    with pytest.raises(BadSource, match=says):
        read(tmp_path / "a")


def test_no_file_is_an_error() -> None:
    with pytest.raises(BadSource, match="no file is given"):
        read()


@given(content=st.binary(min_size=1, max_size=200), magic=st.sampled_from([b"", b"\xfd7zXZ\0", b"\x1f\x8b", b"PAR1"]))
def test_no_bytes_break_the_reader(tmp_path_factory: pytest.TempPathFactory, content: bytes, magic: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes"
    path.write_bytes(magic + content)
    try:
        assert all("\0" not in line for line in read(path))
    except BadSource as error:
        assert str(path) in str(error)
