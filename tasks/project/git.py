"""The state of the project in Git; empty without Git."""

import subprocess

from tasks.project.dvc_lock import LOCK
from tasks.project.paths import CODE


def head_commit() -> str:
    """The commit that is checked out, hex; empty if there is none."""
    return _git("rev-parse", "HEAD").strip()


def changed_files() -> list[str]:
    """Tracked files that differ from that commit, relative to the project's root, sorted.

    `dvc.lock` is left out: DVC has just written it when a version is registered, and it does not change the model. So is the file with the digests of the
    installed code, which `dvc.lock` repeats.
    """
    listing = _git("diff", "--name-only", "--relative", "-z", "HEAD", "--", ".", f":!{LOCK}", f":!{CODE}")
    return sorted(filter(None, listing.split("\0")))


def _git(*arguments: str) -> str:
    try:
        completed = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return ""
    return completed.stdout
