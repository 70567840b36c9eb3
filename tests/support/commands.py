"""`thaw` as a user types it in a project, and what it answers."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path.cwd()


@dataclass(frozen=True)
class Thaw:
    """The command by the programs of one folder: the environment's own, or those of a warm Python."""

    programs: Path

    def __call__(self, *arguments: str, cwd: Path, code: int = 0) -> "subprocess.CompletedProcess[str]":
        """Run it to its end, which must be `code`, and without a traceback."""
        ended = subprocess.run(
            [str(self.programs / "python"), "-m", "flows.cli", *arguments],
            cwd=cwd, env=self.environment(), capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert ended.returncode == code and "Traceback" not in ended.stderr, ended.stdout + ended.stderr
        return ended

    def environment(self) -> dict[str, str]:
        """The tests' own environment with these programs first, and the project's own MLflow store."""
        return {
            **os.environ,
            "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "MLFLOW_TRACKING_URI": "",
            "COLUMNS": "200",
        }
