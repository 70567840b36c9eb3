"""Projects for the tests of the whole pipeline."""

from pathlib import Path

import pytest
from project import CHEAP, Project, clone
from registration import copy_empty_store


@pytest.fixture
def project(tmp_path: Path, prefect: str, warm: Path, empty_store: Path) -> Project:
    """A fresh project with cheap settings, where nothing has run; its commands are those of a warm Python."""
    made = clone(tmp_path / "project", CHEAP, prefect=prefect, programs=warm)
    copy_empty_store(empty_store, made.root)
    return made


@pytest.fixture(scope="session")
def default_project(tmp_path_factory: pytest.TempPathFactory, prefect: str, warm: Path) -> Project:
    """A project with the settings of the repository, after one `thaw run`. Tests only read it, or undo what they change."""
    root = tmp_path_factory.mktemp("default") / "project"
    project = clone(root, prefect=prefect, programs=warm)
    output = project.run("thaw", "run")
    assert "Next:" in output, output
    return project
