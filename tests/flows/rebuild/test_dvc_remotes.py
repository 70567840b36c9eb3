"""Bringing what DVC keeps into another checkout, from real remotes: a folder, the cache, and a server that speaks S3."""

import shutil
import subprocess
from pathlib import Path

import pytest
from object_store import object_store
from toy import build_toy, environment
from traced import commit, git

from flows.rebuild.dvc_remotes import configure_remotes, find, pull, remote_sections


def dvc(root: Path, *arguments: str) -> None:
    done = subprocess.run(["dvc", *arguments], cwd=root, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project that keeps a folder by DVC, committed."""
    project = build_toy(tmp_path / "toy")
    (project / "photos").mkdir()
    for number in range(3):
        (project / f"photos/{number}.png").write_bytes(bytes([number]))
    dvc(project, "add", "--quiet", "photos")
    commit(project)
    return project


@pytest.fixture
def checkout(root: Path, tmp_path: Path) -> Path:
    git(tmp_path, "clone", "--quiet", str(root), "checkout")
    return tmp_path / "checkout"


@pytest.mark.slow
def test_the_cache_serves_where_there_is_no_remote_and_is_only_read(root: Path, checkout: Path) -> None:
    cache = sorted(str(path) for path in (root / ".dvc/cache").rglob("*"))
    remotes = configure_remotes(root, checkout)
    assert [remote.words for remote in remotes] == ["this project's DVC cache"]
    assert find(checkout, "photos", remotes) == "this project's DVC cache" and not (checkout / "photos").exists()
    assert pull(checkout, "photos", remotes) == "this project's DVC cache"
    assert (checkout / "photos/2.png").read_bytes() == b"\2"
    assert pull(checkout, "nothing", remotes) is None and find(checkout, "nothing", remotes) is None
    assert sorted(str(path) for path in (root / ".dvc/cache").rglob("*")) == cache
    assert git(root, "status", "--porcelain") == ""


@pytest.mark.slow
def test_a_remote_set_up_later_with_a_relative_address_is_found(root: Path, checkout: Path) -> None:
    dvc(root, "remote", "add", "--default", "shelf", "../shelf")
    dvc(root, "push", "--quiet")
    shutil.rmtree(root / ".dvc/cache")
    remotes = configure_remotes(root, checkout)
    assert pull(checkout, "photos", remotes) == "the DVC remote `shelf`"
    assert (checkout / ".dvc/config.local").stat().st_mode & 0o077 == 0, "it may hold a key"
    shutil.rmtree(root.parent / "shelf")
    shutil.rmtree(checkout / ".dvc/cache")
    shutil.rmtree(checkout / "photos")
    assert pull(checkout, "photos", remotes) is None and find(checkout, "photos", remotes) is None


def test_every_setting_of_a_remote_goes_along() -> None:
    text = (
        "core.remote=a.b\nremote.a.b.url=s3://bucket/x=y\nremote.a.b.endpointurl=http://127.0.0.1:1\ncache.type=copy\n"
    )
    assert remote_sections(text) == {
        "'remote \"a.b\"'": {"url": "s3://bucket/x=y", "endpointurl": "http://127.0.0.1:1"}
    }


@pytest.mark.slow
def test_an_object_store_keeps_it_for_a_machine_that_has_nothing(root: Path, tmp_path: Path) -> None:
    with object_store() as bucket:
        dvc(root, "remote", "add", "--default", "storage", f"{bucket}/thaw")
        commit(root)
        dvc(root, "push", "--quiet")
        git(tmp_path, "clone", "--quiet", str(root), "second")
        dvc(tmp_path / "second", "pull", "--quiet", "photos")
        assert (tmp_path / "second/photos/1.png").read_bytes() == b"\1"
        shutil.rmtree(root / ".dvc/cache")
        git(tmp_path, "clone", "--quiet", str(root), "third")
        assert (
            find(tmp_path / "third", "photos", configure_remotes(root, tmp_path / "third"))
            == "the DVC remote `storage`"
        )
        assert pull(tmp_path / "third", "photos", configure_remotes(root, tmp_path / "third"))
