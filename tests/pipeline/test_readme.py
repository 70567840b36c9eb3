"""A reader's way through the README: every command and every piece of Python in it, on photos of their own.

Of `make run` and `make test` only what they would do is looked at; test_default.py does the former's work, and this suite is the latter. Ants and bees are in
test_real.py. A server that the README names twice runs once.
"""

import subprocess
import sys

import pytest
from documented import ROOT
from project import Project

pytestmark = pytest.mark.slow


@pytest.mark.timeout(1800)
def test_every_command_of_the_readme_runs(project: Project) -> None:
    walk, modules = ROOT / "tests/support/walked_readme.py", f"{project.root}:{ROOT}/tests/support"
    found = subprocess.run(
        [sys.executable, str(walk)], cwd=project.root, env=project.environment() | {"PYTHONPATH": modules}, text=True,
        timeout=1700, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout[-8000:]
    for made in ("data/scores/monday.parquet", "lineage.html", "data/exports", "data/ranking.json", "digits/model.pt2"):
        assert (project.root / made).exists(), made
