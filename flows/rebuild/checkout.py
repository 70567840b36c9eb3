"""A clone of the project's repository at one commit in a separate folder; the user's tree is only read."""

import subprocess
from pathlib import Path

from thaw.foundation.errors import NotReproducible


def check_out(root: Path, commit: str, into: Path) -> Path:
    """Clone the repository of `root` to `into`, at `commit`; returns the project's folder in the clone.

    Raises:
        NotReproducible: there is no Git, no such commit, or no project at that commit.
    """
    top = _git(root, "rev-parse", "--show-toplevel")
    if top is None:
        raise NotReproducible(
            f"{root} is in no Git repository, so there is no commit to go back to; run it in a clone of the project"
        )
    commit_id = find_commit(root, commit)
    inside = _git(root, "rev-parse", "--show-prefix") or ""
    _must(into.parent, "clone", "--quiet", "--local", "--no-checkout", top, str(into))
    _must(into, "-c", "advice.detachedHead=false", "checkout", "--quiet", "--detach", commit_id)
    project = into / inside
    if not (project / "dvc.yaml").is_file():
        raise NotReproducible(f"commit {commit_id[:12]} has no dvc.yaml; name another commit with --commit")
    return project


def find_commit(root: Path, name: str) -> str:
    """The full id of a commit, from an id or a name such as `HEAD`.

    Raises:
        NotReproducible: this repository has no commit of that name.
    """
    commit_id = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if commit_id is None:
        raise NotReproducible(
            f"this repository has no commit {name[:12]}; bring it with `git fetch` from where the version was made "
            "(a commit that was amended or never pushed may exist there alone)"
        )
    return commit_id


def _git(folder: Path, *arguments: str) -> str | None:
    """The output of a Git command; None if the command fails."""
    try:
        process = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=60
        )
    except FileNotFoundError as error:
        raise NotReproducible("Git is not installed, and a version is rebuilt at its Git commit; install it") from error
    return process.stdout.strip() if process.returncode == 0 else None


def _must(folder: Path, *arguments: str) -> None:
    process = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if process.returncode != 0:
        raise NotReproducible(f"`git {arguments[0]}` failed: {process.stderr.strip()}; correct that and try again")
