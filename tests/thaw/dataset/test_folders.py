"""Folders of class folders, with and without splits."""

from pathlib import Path

import pytest

from thaw.dataset.candidates import Candidate
from thaw.dataset.folders import read_source
from thaw.foundation.errors import BadSource


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_class_folders_at_any_depth_and_unlabelled_files_at_the_top(tmp_path: Path) -> None:
    source = read_source(touch(tmp_path, "bees/b.png", "ants/2024/may/a.png", "loose.png"))
    assert source.candidates == (
        Candidate("ants/2024/may/a.png", "ants"),
        Candidate("bees/b.png", "bees"),
        Candidate("loose.png"),
    )
    assert source.rejected == ()


def test_split_folders_by_all_their_names(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "Train/a/1.png",
        "valid/a/2.png",
        "validation/b/3.png",
        "val/b/x/4.png",
        "test/a/5.png",
        "test/loose.png",
        "top.png",
    )
    source = read_source(tmp_path)
    assert {(one.path, one.label, one.split) for one in source.candidates} == {
        ("Train/a/1.png", "a", "train"),
        ("valid/a/2.png", "a", "val"),
        ("validation/b/3.png", "b", "val"),
        ("val/b/x/4.png", "b", "val"),
        ("test/a/5.png", "a", "test"),
        ("test/loose.png", None, "test"),
        ("top.png", None, None),
    }


def test_one_class_may_be_called_train(tmp_path: Path) -> None:
    source = read_source(touch(tmp_path, "train/1.png", "plane/2.png"))
    assert [(one.label, one.split) for one in source.candidates] == [("plane", None), ("train", None)]


def test_splits_beside_other_folders_are_ambiguous(tmp_path: Path) -> None:
    touch(tmp_path, "train/a/1.png", "test/a/2.png", "annotations/3.xml")
    with pytest.raises(BadSource, match="`test` and `train` beside `annotations`"):
        read_source(tmp_path)


def test_splits_without_train_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match="no folder `train`"):
        read_source(touch(tmp_path, "val/a/1.png", "test/a/2.png"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ants/1.png", "ants/2.png"),
        ("train/Ants/1.png", "val/ants/2.png"),
        ("ants/1.png", "ants /2.png"),
        ("STRASSE/1.png", "straße/2.png"),
    ],
)
def test_class_names_that_differ_only_by_case_are_refused(tmp_path: Path, one: str, other: str) -> None:
    with pytest.raises(BadSource, match="almost surely one class"):
        read_source(touch(tmp_path, one, other))


def test_class_names_that_look_the_same_are_shown_by_their_code_points(tmp_path: Path) -> None:
    touch(tmp_path, "café/1.png", "cafe\u0301/2.png")
    if len(list(tmp_path.iterdir())) == 1:
        pytest.skip("this disk keeps one Unicode form")
    with pytest.raises(BadSource, match=r"caf\\xe9.*cafe\\u0301|cafe\\u0301.*caf\\xe9"):
        read_source(tmp_path)


def test_single_letters_of_both_cases_are_classes(tmp_path: Path) -> None:
    source = read_source(touch(tmp_path, "A/1.png", "a/2.png", "b/3.png"))
    assert {one.label for one in source.candidates} == {"A", "a", "b"}
    assert source.notes == ("The classes `A` and `a` differ only by case; they are kept apart as single letters.",)


def test_empty_class_folders_are_noted(tmp_path: Path) -> None:
    touch(tmp_path, "train/a/1.png", "val/a/2.png")
    (tmp_path / "val" / "b").mkdir()
    assert read_source(tmp_path).notes == ("The class folder `val/b` holds no files.",)


@pytest.mark.parametrize(
    ("make", "reason"), [("", "does not exist"), ("file", "is a file"), ("folder", "holds no files")]
)
def test_no_source(tmp_path: Path, make: str, reason: str) -> None:
    root = tmp_path / "source"
    if make == "file":
        root.touch()
    elif make == "folder":
        (root / "empty").mkdir(parents=True)
    with pytest.raises(BadSource, match=reason):
        read_source(root)


def test_what_cannot_be_followed_is_rejected_with_its_reason(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.png", "b/2.png")
    (tmp_path / "b" / "loop").symlink_to("..")
    assert [(one.path, one.reason) for one in read_source(tmp_path).rejected] == [
        ("b/loop", "is a link to a folder that it lies in")
    ]
