"""Projects for the tests of the whole pipeline."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from project import CHEAP, Project, clone
from started import prefect_server, serving

from flows.servers import HOST, free_port


@pytest.fixture(scope="session")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The API of a Prefect server: a temporary one for each `thaw run` would take as long as the run."""
    home, port = tmp_path_factory.mktemp("prefect"), free_port(0)
    with serving(prefect_server(home, port), home):
        yield f"http://{HOST}:{port}/api"


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
