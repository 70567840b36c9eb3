"""A copy of the project in a folder of its own, driven as a user would drive it."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path.cwd()
PROGRAMS = Path(sys.executable).parent
CHEAP = (
    "strategy.minutes=0",
    "strategy.repeats=1",
    "evaluate.baselines=[majority]",
    "evaluate.seeds=1",
    "statistics.bootstrap=50",
    "backbone.layers=[auto]",
    "head.l2=[0.001,0.1]",
    "head.folds=3",
    "head.epochs=20",
)
"""Settings for tests that are not about the baselines, the layers and strengths to choose from, or about what fine-tuning would bring."""


@dataclass(frozen=True)
class Project:
    """A clone with a Git history of its own; commands run in it with nothing inherited from the surrounding project."""

    root: Path
    prefect: str = ""
    """The API of a Prefect server; empty: each command starts one of its own."""
    programs: Path = PROGRAMS
    """The folder of `python`, `thaw` and `dvc`: the environment's, or that of a warm Python."""
    packages: Path | None = None
    """A folder with packages that are installed beside those of the environment."""

    def start(self, *command: str, **environment: str) -> "subprocess.Popen[str]":
        """Start `thaw`, `dvc` or `git` in a process group of its own."""
        if command[0] == "thaw":
            command = (str(self.programs / "python"), "-m", "flows.cli", *command[1:])
        return subprocess.Popen(
            command, cwd=self.root, env=self.environment() | environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def run(self, *command: str, code: int = 0) -> str:
        """Run a command to its end; returns what it printed, both streams."""
        process = self.start(*command)
        output, _ = process.communicate(timeout=900)
        assert process.returncode == code, f"{' '.join(command)} ended with {process.returncode}:\n{output}"
        return output

    def follow(self, block: str) -> str:
        """Run the commands of a page; returns what the last one printed. `thaw run` runs on a commit, with cheap settings but for layers and baselines."""
        output = ""
        for line in block.splitlines():
            if line == "thaw run":
                self.set(*(each for each in CHEAP if not each.startswith(("backbone", "evaluate.baselines"))))
                self.run("git", "add", "--all")
                self.run("git", "commit", "--quiet", "--message", "As the page says")
            output = self.run(*shlex.split(line, comments=True))
        return output

    def json(self, *command: str) -> Any:
        """What a `--json` command prints on standard output."""
        process = subprocess.run(
            (str(self.programs / "python"), "-m", "flows.cli", *command, "--json"),
            cwd=self.root, env=self.environment(), text=True, capture_output=True, timeout=900, check=False,
        )  # fmt: skip
        assert process.returncode == 0, process.stdout + process.stderr
        return json.loads(process.stdout)

    def environment(self) -> dict[str, str]:
        own = {"PREFECT_HOME", "PREFECT_API_URL", "MLFLOW_TRACKING_URI", "PWD", "PYTHONDONTWRITEBYTECODE"}
        kept = {name: value for name, value in os.environ.items() if name not in own}
        # The copy's own modules come before the installed ones.
        return kept | {
            "PATH": f"{self.programs}{os.pathsep}{kept['PATH']}",
            "PYTHONPATH": os.pathsep.join(map(str, filter(None, (self.root, self.packages)))),
            "COLUMNS": "200",
            "PREFECT_API_URL": self.prefect,
        }

    def set(self, *changes: str) -> None:
        """`thaw config set`."""
        self.run("thaw", "config", "set", *changes)

    def metrics(self) -> Any:
        """`data/report/metrics.json`."""
        return json.loads((self.root / "data/report/metrics.json").read_text())

    def lock(self) -> Any:
        """`dvc.lock`."""
        return YAML(typ="safe").load((self.root / "dvc.lock").read_text())

    def parts(self) -> list[Path]:
        """The parts of the feature store."""
        return sorted((self.root / "data/features").rglob("part-*.parquet"))


def clone(into: Path, settings: Sequence[str] = (), *, prefect: str = "", programs: Path = PROGRAMS) -> Project:
    """Copy what Git tracks or would track, as it stands in the working tree, and commit it."""
    copy_tree(into)
    project = Project(into, prefect, programs)
    project.run("git", "init", "--quiet")
    project.run("git", "config", "user.name", "Tester")
    project.run("git", "config", "user.email", "tester@example.org")
    if settings:
        project.set(*settings)
    project.run("git", "add", "--all")
    project.run("git", "commit", "--quiet", "--message", "A project")
    return project


def copy_tree(into: Path) -> None:
    """Copy what Git tracks or would track of the repository, as it stands in the working tree."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file() and name != "dvc.lock":
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, into / name)
