"""A clone at a commit, beside a tree that somebody works in."""

from pathlib import Path

import pytest
from traced import commit, git

from flows.rebuild.checkout import check_out, find_commit
from thaw.foundation.errors import NotReproducible


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project in a folder of a larger repository, with one commit and work in progress."""
    project = tmp_path / "repository/vision"
    project.mkdir(parents=True)
    git(tmp_path / "repository", "init", "--quiet")
    (project / "dvc.yaml").write_text("stages: {}\n")
    (project / "code.py").write_text("one\n")
    commit(project)
    (project / "code.py").write_text("two\n")
    return project


def test_it_is_at_the_commit_and_the_tree_stays_as_it_is(root: Path, tmp_path: Path) -> None:
    before = git(root, "status", "--porcelain"), git(root, "worktree", "list"), git(root, "branch", "--all")
    found = check_out(root, "HEAD", tmp_path / "clone")
    assert found == tmp_path / "clone/vision" and (found / "code.py").read_text() == "one\n"
    assert (root / "code.py").read_text() == "two\n"
    assert (git(root, "status", "--porcelain"), git(root, "worktree", "list"), git(root, "branch", "--all")) == before


def test_a_commit_that_was_amended_is_still_there(root: Path, tmp_path: Path) -> None:
    old = commit(root)
    git(root, "commit", "--quiet", "--amend", "--allow-empty", "--message", "Amended")
    assert old != find_commit(root, "HEAD")
    assert (check_out(root, old, tmp_path / "clone") / "code.py").read_text() == "two\n"


def test_what_is_missing_is_named(root: Path, tmp_path: Path) -> None:
    with pytest.raises(NotReproducible, match="has no commit abababababab; bring it with `git fetch`"):
        check_out(root, "ab" * 20, tmp_path / "clone")
    with pytest.raises(NotReproducible, match="has no commit --all"):
        check_out(root, "--all", tmp_path / "clone")
    (tmp_path / "plain").mkdir()
    with pytest.raises(NotReproducible, match="is in no Git repository"):
        check_out(tmp_path / "plain", "HEAD", tmp_path / "clone")
    git(root, "rm", "--quiet", "--force", "dvc.yaml")
    with pytest.raises(NotReproducible, match=r"has no dvc\.yaml"):
        check_out(root, commit(root), tmp_path / "clone")
    assert not (root / ".git").exists()
