"""The tutorials are run as they stand, one after the other in one project: each begins where the page before has ended."""

import subprocess
from pathlib import Path

import pytest
from documented import DOCS, TUTORIALS, blocks
from project import CHEAP, Project, clone
from registration import copy_empty_store
from started import lay_prefect_home

pytestmark = pytest.mark.slow


@pytest.mark.timeout(2400)
def test_every_command_of_the_tutorials_runs(tmp_path: Path, warm: Path, prefect_home: Path, empty_store: Path) -> None:
    project = clone(tmp_path / "project", CHEAP, programs=warm)
    lay_prefect_home(prefect_home, project.root)
    copy_empty_store(empty_store, project.root)
    said = {page.stem: type_page(project, page) for page in TUTORIALS}
    nothing = "Data and pipelines are up to date."
    assert said["tutorial-dvc"].count(nothing) == 4, f"`dvc repro` and each `dvc status`:\n{said['tutorial-dvc']}"
    assert "Nothing to do: every stage is up to date." in said["tutorial-prefect"]
    (python,) = blocks(DOCS / "tutorial-mlflow.md", "python")
    loaded = subprocess.run(
        ["python", "-c", python], cwd=project.root, env=project.environment(), text=True, capture_output=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert loaded.returncode == 0 and "confidence" in loaded.stdout, loaded.stdout + loaded.stderr


def type_page(project: Project, page: Path) -> str:
    """A page's commands in one shell, as a reader types them; it stops at the first that fails. Returns what they print."""
    commands = "\n".join(blocks(page))
    script = f"set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{commands}"
    typed = subprocess.run(
        ["bash", "-c", script], cwd=project.root, env=project.environment(), text=True, timeout=1500, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert typed.returncode == 0, f"{page.name}:\n{typed.stdout[-6000:]}"
    return typed.stdout
