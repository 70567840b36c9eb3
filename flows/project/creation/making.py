"""The creation of a project: a plan that can be shown, then the files, Git and DVC."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from flows.project.creation.files import IGNORED, README, project_files
from flows.project.environment import QUIET, path_with_programs
from flows.project.errors import NotEmpty, ToolFailed
from thaw.foundation.files.atomic import write_text

_CODE_OF_THAW = ("thaw", "tasks", "flows")
"""Packages that a folder of the same name in the project would hide."""
_YIELDING = frozenset({README, IGNORED})
"""Files that a folder may have before it is a project; they stay."""
_DVC = Path(".dvc/config")
_DVC_CONFIG = """\
    analytics = false
    check_update = false
[cache]
    type = "reflink,hardlink,copy"
"""
_MESSAGE = "A Thaw project"


@dataclass(frozen=True)
class Plan:
    """What a new project takes. files: the text of each file that will be written, by its path in `root`. kept: files that are there and stay.

    new_repository: whether Git begins there. commits: whether the files are committed.
    """

    root: Path
    files: Mapping[Path, str]
    kept: tuple[Path, ...]
    new_repository: bool
    commits: bool


def plan_project(root: Path, parameters: str, *, force: bool = False, git: bool = True) -> Plan:
    """Plan a project in `root`, which need not exist; nothing is written.

    Args:
        root: the project's folder; absolute.
        parameters: the text of `params.yaml`, of an example or of a model.
        force: whether the folder may have files.
        git: whether the project is put into Git.

    Raises:
        NotEmpty: the folder has files, and `force` is not given; or it has a project, or what would hide Thaw's code.
    """
    files = project_files(root.name, parameters)
    if root.exists() and not root.is_dir():
        raise NotEmpty(f"{root} is a file; name a folder")
    if root.is_dir() and any(root.iterdir()) and not force:
        raise NotEmpty(
            f"{root} has files; `--force` makes a project among them, and `--dry-run` says what it would write"
        )
    if hiding := [name for name in _CODE_OF_THAW if (root / name).exists()]:
        raise NotEmpty(f"{root} has `{hiding[0]}`, which would hide Thaw's own code of that name; rename it")
    there = [path for path in files if (root / path).exists()]
    if taken := [path for path in there if path not in _YIELDING]:
        raise NotEmpty(
            f"{root} has {', '.join(map(str, taken))} already; `thaw init --upgrade` brings a project up to date"
        )
    written = {path: text for path, text in files.items() if path not in there}
    return Plan(root, written, tuple(there), git and not _in_git(root), git)


def make_project(plan: Plan) -> Iterator[str]:
    """Write the project, and yield a sentence after each step.

    Raises:
        ToolFailed: Git or DVC failed; the message has its own. The files are there.
    """
    for path, text in plan.files.items():
        (plan.root / path).parent.mkdir(parents=True, exist_ok=True)
        write_text(plan.root / path, text)
    yield f"wrote {', '.join(map(str, plan.files))}"
    if plan.new_repository:
        _call(plan.root, "git", "init", "--quiet")
        yield "began a Git repository"
    _call(plan.root, "dvc", "init", "--quiet", *_scm(plan))
    config = (plan.root / _DVC).read_text(encoding="utf-8").partition("[core]\n")[2]  # what DVC has noted of Git
    write_text(plan.root / _DVC, f"[core]\n{config}{_DVC_CONFIG}")
    yield "began DVC"
    if plan.commits:
        files = [*map(str, plan.files), str(_DVC), ".dvc/.gitignore", ".dvcignore"]
        _call(plan.root, "git", "add", "--", *files)
        _call(plan.root, "git", "commit", "--quiet", "--message", _MESSAGE, "--", *files)
        yield "committed the project"


def _scm(plan: Plan) -> tuple[str, ...]:
    if not plan.commits:
        return ("--no-scm",)
    return () if (plan.root / ".git").exists() else ("--subdir",)


def _in_git(root: Path) -> bool:
    """Whether the folder, or the nearest one above it that exists, lies in a Git repository.

    Raises:
        ToolFailed: there is no Git.
    """
    if shutil.which("git") is None:
        raise ToolFailed("Git is not installed; install it, or give --no-git")
    nearest = next(folder for folder in (root, *root.parents) if folder.is_dir())
    done = subprocess.run(
        ["git", "rev-parse", "--is-inside-work-tree"], cwd=nearest, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() == "true"


def _call(root: Path, *command: str) -> None:
    environment = {**os.environ, **QUIET, "PATH": path_with_programs(os.environ)}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise ToolFailed(f"`{' '.join(command[:2])}` failed: {' '.join(lines) or 'it gives no reason'}")
