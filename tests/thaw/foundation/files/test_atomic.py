"""Atomic writes and digests."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from blake3 import blake3

from thaw.foundation.files.atomic import atomic, atomic_folder, digest_bytes, digest_file, replaced_folder, write_text

WRITE_THEN_DIE = """
import os, signal, sys
from pathlib import Path
from thaw.foundation.files.atomic import atomic
with atomic(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_failure_leaves_the_old_file_and_no_temporary_one(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    write_text(path, "old")
    with pytest.raises(ZeroDivisionError), atomic(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["metrics.json"]


def test_a_killed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    write_text(path, "old")
    killed = subprocess.run([sys.executable, "-c", WRITE_THEN_DIE, str(path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_text() == "old"


def test_folders_are_made_and_the_file_is_readable_by_others(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c.txt"
    write_text(path, "Ω")
    assert path.read_bytes() == "Ω".encode()
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_digest_is_blake3_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"thaw" * 1000)
    assert digest_file(path) == digest_bytes(b"thaw" * 1000) == blake3(b"thaw" * 1000).digest()


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), atomic_folder(tmp_path / "out") as inside:
        (inside / "half.txt").write_text("half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    with atomic_folder(tmp_path / "out") as inside:
        (inside / "whole.txt").write_text("whole")
        assert not (tmp_path / "out").exists()
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "whole.txt"]
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_folder_takes_the_place_of_nothing_that_holds_something(kind: str, tmp_path: Path) -> None:
    held = tmp_path / "out" / "mine.txt" if kind == "folder" else tmp_path / "out"
    write_text(held, "mine")
    with pytest.raises(FileExistsError), atomic_folder(tmp_path / "out") as inside:
        (inside / "whole.txt").write_text("whole")
    assert held.read_text() == "mine" and len(list(tmp_path.iterdir())) == 1


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A folder with a file that is a hard link into a cache, as DVC makes it."""
    write_text(tmp_path / "cache/0a", "old")
    (tmp_path / "cache/0a").chmod(0o444)
    (tmp_path / "data/report").mkdir(parents=True)
    (tmp_path / "data/report/page.html").hardlink_to(tmp_path / "cache/0a")
    write_text(tmp_path / "data/report/figures/left-over.png", "old")
    return tmp_path / "data/report"


def content(folder: Path) -> dict[str, str]:
    """The files by their name relative to the folder."""
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_is_replaced_whole_at_the_end(report: Path, tmp_path: Path) -> None:
    before = content(report)
    with replaced_folder(report) as fresh:
        write_text(fresh / "page.html", "new")
        assert content(report) == before
    assert content(report) == {"page.html": "new"}
    assert (tmp_path / "cache/0a").read_text() == "old", "nothing was written through the link"
    assert [path.name for path in report.parent.iterdir()] == ["report"]


@pytest.mark.parametrize("failure", [ZeroDivisionError, KeyboardInterrupt])
def test_a_folder_whose_replacement_fails_stays_byte_for_byte(report: Path, failure: type[BaseException]) -> None:
    before = content(report)
    with pytest.raises(failure), replaced_folder(report) as fresh:
        write_text(fresh / "page.html", "half")
        raise failure
    assert content(report) == before
    assert [path.name for path in report.parent.iterdir()] == ["report"]


def test_what_kills_left_of_a_folder_is_put_right(report: Path) -> None:
    before = content(report)
    report.rename(report.with_name(".report.old"))  # a kill between the two renames
    write_text(report.with_name(".report.new") / "half.html", "half")
    with pytest.raises(ZeroDivisionError), replaced_folder(report):
        assert content(report) == before
        raise ZeroDivisionError
    assert content(report) == before and [path.name for path in report.parent.iterdir()] == ["report"]


def test_a_folder_that_was_a_link_or_a_file_is_replaced_too(report: Path, tmp_path: Path) -> None:
    link, file = tmp_path / "data/link", tmp_path / "data/file"
    link.symlink_to(report)
    file.touch()
    for path in (link, file):
        with replaced_folder(path) as fresh:
            write_text(fresh / "page.html", "new")
        assert content(path) == {"page.html": "new"} and not path.is_symlink()
    assert content(report)["page.html"] == "old"
