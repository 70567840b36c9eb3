"""Layouts that mean something else than classes at the top."""

import re
from pathlib import Path

import pytest

from thaw.dataset.folders import read_source


def source_of(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_training_and_testing_are_splits_and_the_classes_stay(tmp_path: Path) -> None:
    source = read_source(source_of(tmp_path, "Training/glioma/1", "Training/no/2", "Testing/glioma/3", "Testing/no/4"))
    assert {(one.label, one.split) for one in source.candidates} == {
        ("glioma", "train"), ("no", "train"), ("glioma", "test"), ("no", "test"),
    }  # fmt: skip
    assert source.warnings == ()


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("fold1/cat/1", "fold1/dog/2", "fold2/cat/3", "fold2/dog/4"), r"2 top folders hold.*`cat`, `dog`.*move these to the top"),
        (("a/x/1", "a/y/2", "b/x/3", "b/y/4", "b/z/5", "c/x/6", "c/y/7"), "3 top folders hold"),
        (("cat/train/1", "cat/test/2", "dog/train/3", "dog/test/4"), "the splits inside them are not used"),
        (("seg_train/seg_train/a/1", "seg_test/seg_test/a/2", "seg_pred/3"), "`seg_test`, `seg_train` are read as classes"),
    ],
    ids=["folds", "most", "splits inside", "speaking names"],
)  # fmt: skip
def test_top_folders_that_may_not_be_the_classes_are_warned_of(
    tmp_path: Path, names: tuple[str, ...], words: str
) -> None:
    (warning,) = read_source(source_of(tmp_path, *names)).warnings
    assert re.search(words, warning)


@pytest.mark.parametrize(
    "names",
    [
        ("cat/1", "dog/2"),
        ("n01/files/1", "n02/files/2"),
        ("a/x/1", "a/y/2", "b/3"),
        ("train station/1", "plane/2"),
        ("train/a/1", "train/b/2", "test/a/3", "test/b/4"),
    ],
)
def test_usual_layouts_are_not_warned_of(tmp_path: Path, names: tuple[str, ...]) -> None:
    assert read_source(source_of(tmp_path, *names)).warnings == ()


def test_a_source_that_is_one_split_beside_others_is_warned_of(tmp_path: Path) -> None:
    source_of(tmp_path, "set/Train/a/1", "set/Train/b/2", "set/valid/a/3", "set/test/b/4")
    (warning,) = read_source(tmp_path / "set/Train").warnings
    assert "a folder `Train` with `test`, `valid` beside it" in warning
    assert "set dataset.source to the folder around them" in warning
    source_of(tmp_path, "alone/train/a/1", "alone/train/b/2", "alone/other/3")
    assert read_source(tmp_path / "alone/train").warnings == ()


def test_a_listing_of_files_in_split_folders_without_a_column_split_is_warned_of(tmp_path: Path) -> None:
    source_of(tmp_path, "train/1", "train/2", "test/3")
    (tmp_path / "list.csv").write_text("path,label\ntrain/1,a\ntrain/2,b\ntest/3,a\n")
    (warning,) = read_source(tmp_path, "list.csv").warnings
    assert "lie in the folders `test`, `train`, and the listing has no column split" in warning
    (tmp_path / "list.csv").write_text("path,label,split\ntrain/1,a,train\ntrain/2,b,train\ntest/3,a,test\n")
    assert read_source(tmp_path, "list.csv").warnings == ()
