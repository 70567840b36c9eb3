"""Projects for the tests of the whole pipeline."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from project import CHEAP, Project, clone
from warm_python import warm_programs


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of programs of a warm Python, for tests whose subject is not the process: each stage and command starts in a tenth of the time."""
    with warm_programs(tmp_path_factory.mktemp("warm")) as programs:
        yield programs


@pytest.fixture
def project(tmp_path: Path, prefect: str) -> Project:
    """A fresh project with cheap settings, where nothing has run."""
    return clone(tmp_path / "project", CHEAP, prefect=prefect)


@pytest.fixture(scope="session")
def default_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with the settings of the repository, after one `thaw run`. Tests only read it, or undo what they change."""
    project = clone(tmp_path_factory.mktemp("default") / "project")
    output = project.run("thaw", "run")
    assert "Next:" in output, output
    return project
