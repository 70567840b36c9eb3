"""A test in the tests' own process leaves nothing to the next."""

import os
from pathlib import Path

from flows.project.environment import enter_project

_HERE = Path.cwd()


def test_a_project_is_entered(tmp_path: Path) -> None:
    for name in ("dvc.yaml", "params.yaml"):
        (tmp_path / name).touch()
    enter_project(tmp_path)
    assert "PREFECT_HOME" in os.environ and Path.cwd() == tmp_path


def test_and_left_again() -> None:
    assert "PREFECT_HOME" not in os.environ and Path.cwd() == _HERE
