"""Projects for the tests of the whole pipeline."""

from pathlib import Path

import pytest
from project import CHEAP, Project, clone


@pytest.fixture
def project(tmp_path: Path, prefect: str, warm: Path) -> Project:
    """A fresh project with cheap settings, where nothing has run; its commands are those of a warm Python."""
    return clone(tmp_path / "project", CHEAP, prefect=prefect, programs=warm)


@pytest.fixture(scope="session")
def default_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with the settings of the repository, after one `thaw run`. Tests only read it, or undo what they change."""
    project = clone(tmp_path_factory.mktemp("default") / "project")
    output = project.run("thaw", "run")
    assert "Next:" in output, output
    return project
