"""Untidy folders: links, loops, pipes, stray files and names of any kind."""

import os
from pathlib import Path

import pytest

from thaw.foundation.files.walking import (
    ListedFile,
    files_below,
    folders_in,
    unfollowable_links,
    unhashable,
    why_not_a_file,
)


def paths(root: Path) -> dict[str, str | None]:
    return {found.path: found.reason for found in files_below(root)}


def test_stray_and_hidden_names_are_passed_over(tmp_path: Path) -> None:
    for name in (
        "a/one.png",
        "a/.hidden.png",
        ".ipynb_checkpoints/a.png",
        "__MACOSX/a.png",
        "a/Thumbs.db",
        "a/.DS_Store",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert paths(tmp_path) == {"a/one.png": None}
    assert folders_in(tmp_path) == ["a"]


def test_links_to_files_and_folders_are_followed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "one.png").touch()
    (root / "a").mkdir(parents=True)
    (root / "linked").symlink_to(tmp_path / "elsewhere")
    (root / "a" / "two.png").symlink_to(tmp_path / "elsewhere" / "one.png")
    assert paths(root) == {"linked/one.png": None, "a/two.png": None}
    assert folders_in(root) == ["a", "linked"]
    assert unhashable(root) == []


def test_links_that_cannot_be_followed_are_named_and_never_followed(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "good.png").touch()
    (folder / "broken").symlink_to("nowhere")
    (folder / "itself").symlink_to("itself")
    (folder / "up").symlink_to("..")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "broken").symlink_to("nowhere")
    assert paths(tmp_path) == {
        "a/good.png": None,
        "a/broken": "is a link that leads nowhere",
        "a/itself": "is a link that leads to itself",
        "a/up": "is a link to a folder that it lies in",
    }
    assert unfollowable_links(tmp_path) == [".hidden/broken", "a/broken", "a/itself", "a/up"]


def test_two_folders_that_link_to_each_other_end(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.png").touch()
        (tmp_path / name / "other").symlink_to(Path("..") / other)
    found = paths(tmp_path)
    assert {path for path, reason in found.items() if reason is None} == {
        "a/a.png",
        "b/b.png",
        "a/other/b.png",
        "b/other/a.png",
    }
    assert unfollowable_links(tmp_path) == ["a/other/other", "b/other/other"]


def test_pipes_are_named_and_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert paths(tmp_path) == {"pipe.png": "is not a file (a pipe, a socket or a device)"}
    assert [found.path for found in unhashable(tmp_path)] == ["pipe.png"]
    assert unfollowable_links(tmp_path) == []


def test_names_of_any_script_work_and_invalid_utf8_is_refused(tmp_path: Path) -> None:
    names = ["с пробелом.png", "蚂蚁.png", "né e.png", "a\nb.png", "🐜.png"]
    for name in names:
        (tmp_path / name).touch()
    try:
        (tmp_path / os.fsdecode(b"bad\xff.png")).touch()
        (tmp_path / os.fsdecode(b"folder\xff")).mkdir()
        (tmp_path / os.fsdecode(b"folder\xff") / "one.png").touch()
    except OSError:
        pytest.skip("this disk takes only names that are valid UTF-8")
    found = paths(tmp_path)
    assert {path for path, reason in found.items() if reason is None} == set(names)
    refused = {path for path, reason in found.items() if reason is not None and "UTF-8" in reason}
    assert refused == {"bad\\xff.png", "folder\\xff"}


def test_why_not_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert why_not_a_file(tmp_path / "file") is None
    assert why_not_a_file(tmp_path) == "is a folder"
    assert why_not_a_file(tmp_path / "none") == "does not exist"
    assert "cannot be opened" in str(why_not_a_file(tmp_path / ("x" * 300)))
    assert "cannot be opened" in str(why_not_a_file(Path("a\0b")))


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may open everything")
def test_a_closed_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    assert list(files_below(tmp_path)) == [ListedFile("closed", "cannot be opened (Permission denied)")]
