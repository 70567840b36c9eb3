"""Listings as people write them: from Excel, from pandas, from Windows, with mistakes."""

import re
from pathlib import Path

import pandas as pd
import pytest

from thaw.dataset.candidates import Candidate
from thaw.dataset.folders import read_source
from thaw.foundation.errors import BadSource


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("a/1.png", "a/2.png", "b/né e.png", "b/4.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def listed(root: Path, content: bytes | str) -> list[tuple[str, str | None, str | None, str | None]]:
    (root / "list.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    return [(one.path, one.label, one.split, one.group) for one in read_source(root, "list.csv").candidates]


def rejected(root: Path, content: str) -> dict[str, str]:
    (root / "list.csv").write_text(content)
    return {one.path: one.reason for one in read_source(root, "list.csv").rejected}


def test_every_column(root: Path) -> None:
    content = "path,label,split,group\na/1.png,x,train,g1\nb/né e.png,y,valid,\na/2.png,,test,g1\n"
    assert listed(root, content) == [
        ("a/1.png", "x", "train", "g1"),
        ("a/2.png", None, "test", "g1"),
        ("b/né e.png", "y", "val", None),
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfpath,label\r\na/1.png,x\r\nb/4.png,y\r\n",
        b"path;label\na/1.png;x\nb/4.png;y",
        b"Path\t Label \na/1.png\tx\n\nb/4.png\ty\n",
        b'label,path\n"x","a/1.png"\n y ,./b//4.png\n',
        b"path,label\na\\1.png,x\nb\\4.png,y\n",
    ],
    ids=["excel", "semicolons", "tabs", "quoted", "windows"],
)
def test_every_way_to_write_it(root: Path, content: bytes) -> None:
    assert listed(root, content) == [("a/1.png", "x", None, None), ("b/4.png", "y", None, None)]


def test_a_backslash_in_a_real_name_is_kept(root: Path) -> None:
    (root / "a\\1.png").touch()
    assert listed(root, "path,label\na\\1.png,x\n") == [("a\\1.png", "x", None, None)]


@pytest.mark.parametrize("path", ["/etc/passwd", "../other/1.png", "a/../../1.png", "C:\\data\\1.png", "..\\1.png"])
def test_paths_out_of_the_source_are_refused(root: Path, path: str) -> None:
    reason = rejected(root, f"path,label\n{path},x\na/1.png,x\n")[path]
    assert "absolute" in reason or "`..`" in reason


@pytest.mark.parametrize(
    ("row", "path", "reason"),
    [
        ("a/9.png,x,train", "a/9.png", "does not exist"),
        (f"{'x' * 300},x,train", "x" * 300, "cannot be opened"),
        ("a,x,train", "a", "is a folder"),
        ("a/1.png,x,fold3", "a/1.png", "the split `fold3`"),
        (",x,train", "list.csv", "row 1 of the listing.*no path"),
        ("a/1.png,x", "a/1.png", "row 1.*has 2 fields; the header has 3"),
        ("a/1.png,x,train,more", "a/1.png", "row 1.*has 4 fields"),
    ],
)
def test_rows_that_cannot_be_used(root: Path, row: str, path: str, reason: str) -> None:
    found = rejected(root, f"path,label,split\n{row}\nb/4.png,y,test\n")
    assert list(found) == [path]
    assert re.search(reason, found[path])


def test_rows_that_repeat_count_once_and_rows_that_contradict_are_rejected(root: Path) -> None:
    content = "path,label\na/1.png,x\n./a/1.png,x\na/2.png,x\na/2.png,y\n"
    assert listed(root, content) == [("a/1.png", "x", None, None)]
    source = read_source(root, "list.csv")
    assert [(one.path, one.reason) for one in source.rejected] == [
        ("a/2.png", "is in the listing with more than one label: x, y")
    ]
    assert source.notes == ("Rows of the listing that repeat another: 1. Each file counts once.",)


def test_unused_columns_are_noted(root: Path) -> None:
    (root / "list.csv").write_text("path,label,splits\na/1.png,x,train\n")
    assert read_source(root, "list.csv").notes == ("The listing's columns splits are not used.",)


def test_parquet_with_what_pandas_makes_of_labels(root: Path) -> None:
    frame = pd.DataFrame(
        {"path": ["a/1.png", "a/2.png", "b/4.png"], "label": [3, None, 7], "group": ["g", None, float("nan")]}
    )
    frame.to_parquet(root / "list.parquet")
    assert read_source(root, "list.parquet").candidates == (
        Candidate("a/1.png", "3", None, "g"),
        Candidate("a/2.png", None),
        Candidate("b/4.png", "7"),
    )
    categories = frame.assign(label=pd.Categorical(["x", "y", "x"]))
    categories.to_parquet(root / "list.parquet")
    assert [one.label for one in read_source(root, "list.parquet").candidates] == ["x", "y", "x"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"photo,label\n", "no column path, only photo, label; name the column path"),
        (b"", "no column path, only none"),
        (b"path,label,label\n", "column label more than once"),
        ("path,label\na/1.png,é\n".encode("latin-1"), "not UTF-8"),
        ("path,label\n".encode("utf-16"), "not UTF-8"),
        (b'path,label\n"a/1.png,x\n', "not valid CSV"),
        (b"PAR1 and nothing more", "not a readable Parquet"),
    ],
)
def test_listings_that_cannot_be_read(root: Path, content: bytes, reason: str) -> None:
    with pytest.raises(BadSource, match=reason):
        listed(root, content)


@pytest.mark.parametrize("name", ["none.csv", "../list.csv", "/list.csv", "a"])
def test_listings_that_are_not_there(root: Path, name: str) -> None:
    with pytest.raises(BadSource, match=r"`dataset.listing` is a path inside `dataset.source`"):
        read_source(root, name)


def sets(root: Path, name: str = "list.csv") -> dict[str, tuple[str, ...] | None]:
    return {one.path: one.labels for one in read_source(root, name).candidates}


def test_a_column_labels_holds_sets(root: Path) -> None:
    (root / "list.csv").write_text("path,labels\na/1.png,wasp|ant| bee |ant\na/2.png,|\nb/4.png,\n")
    assert sets(root) == {"a/1.png": ("ant", "bee", "wasp"), "a/2.png": (), "b/4.png": None}
    assert {one.label for one in read_source(root, "list.csv").candidates} == {None}


def test_sets_in_parquet_are_lists_or_text(root: Path) -> None:
    paths = ["a/1.png", "a/2.png", "b/4.png"]
    pd.DataFrame({"path": paths, "labels": [["bee", "ant"], [], None]}).to_parquet(root / "lists")
    pd.DataFrame({"path": paths, "labels": ["bee|ant", "|", None]}).to_parquet(root / "texts")
    expected = {"a/1.png": ("ant", "bee"), "a/2.png": (), "b/4.png": None}
    assert sets(root, "lists") == sets(root, "texts") == expected
    pd.DataFrame({"path": paths[:2], "labels": [["an|t"], ["bee"]]}).to_parquet(root / "bars")
    with pytest.raises(BadSource, match=r"`\|` in them.*an\|t"):
        read_source(root, "bars")
    pd.DataFrame({"path": paths[:2], "label": [["ant"], ["bee"]]}).to_parquet(root / "wrong")
    with pytest.raises(BadSource, match=r"label of the listing .* holds lists; only labels may"):
        read_source(root, "wrong")


def test_label_and_labels_are_not_both_given(root: Path) -> None:
    (root / "list.csv").write_text("path,label,labels\na/1.png,x,x|y\n")
    with pytest.raises(BadSource, match="keep one"):
        read_source(root, "list.csv")


def test_equal_sets_repeat_each_other_and_different_ones_contradict(root: Path) -> None:
    content = "path,labels\na/1.png,ant|bee\na/1.png,bee|ant\na/2.png,ant\na/2.png,ant|bee\nb/4.png,|\nb/4.png,\n"
    assert rejected(root, content) == {
        "a/2.png": "is in the listing with more than one set of labels: ant, ant|bee",
        "b/4.png": "is in the listing with more than one set of labels: none, |",
    }
    assert sets(root) == {"a/1.png": ("ant", "bee")}


def test_names_in_sets_that_differ_by_case_are_refused(root: Path) -> None:
    (root / "list.csv").write_text("path,labels\na/1.png,ant|bee\na/2.png,Bee\n")
    with pytest.raises(BadSource, match="differ only by case"):
        read_source(root, "list.csv")
