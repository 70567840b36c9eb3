"""A reader's way through the README and the pages by topic: every command and every piece of Python in them, on photos of their own.

Of `make run` and `make test` only what they would do is looked at; test_default.py does the former's work, and this suite is the latter.
documented.py lists the blocks that another test runs. A server that the pages name twice runs once.
"""

import subprocess
from pathlib import Path

import pytest
from documented import ROOT
from project import CHEAP, clone
from registration import copy_empty_store
from started import lay_prefect_home

pytestmark = pytest.mark.slow


@pytest.mark.timeout(1800)
def test_every_command_of_the_pages_runs(
    tmp_path: Path, prefect: str, prefect_home: Path, empty_store: Path, warm: Path
) -> None:
    project = clone(tmp_path / "project", CHEAP, prefect=prefect, programs=warm)
    lay_prefect_home(prefect_home, project.root)
    copy_empty_store(empty_store, project.root)
    walk, modules = ROOT / "tests/support/walked_pages.py", f"{project.root}:{ROOT}/tests/support"
    log = tmp_path / "walked.txt"
    with log.open("w") as out:
        walked = subprocess.run(
            [str(warm / "python"), str(walk)], cwd=project.root, env=project.environment() | {"PYTHONPATH": modules},
            timeout=1700, check=False, stdout=out, stderr=out,
        )  # fmt: skip
    assert walked.returncode == 0, log.read_text()[-8000:]
    for made in ("data/scores/monday.parquet", "lineage.html", "data/exports", "data/ranking.json", "digits/model.pt2"):
        assert (project.root / made).exists(), made
