"""What Git says of the project as it stands; nothing where there is no Git."""

import subprocess

from tasks.project.dvc_lock import LOCK


def head_commit() -> str:
    """The commit that is checked out, hex; empty where there is none."""
    return _git("rev-parse", "HEAD").strip()


def changed_files() -> list[str]:
    """Tracked files that differ from that commit, relative to the project's root, sorted.

    DVC has just written its lock when a version is made; that alone makes no other model.
    """
    told = _git("diff", "--name-only", "--relative", "-z", "HEAD", "--", ".", f":!{LOCK}")
    return sorted(filter(None, told.split("\0")))


def _git(*arguments: str) -> str:
    try:
        found = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return ""
    return found.stdout
