"""The upgrade of a project: it shows what changes, and touches nothing that is the user's."""

from pathlib import Path

import pytest

from flows.project.creation.examples import parameters_of
from flows.project.creation.files import project_files
from flows.project.creation.upgrade import follow_installed_code, plan_upgrade
from flows.project.errors import NotAProject


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The files of a project, as they were once with another `extract`."""
    for path, text in project_files("birds", parameters_of("digits", "birds")).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    code = tmp_path / "data/code.yaml"
    lines = [
        line if not line.startswith("extract") else "extract: '0000000000000000'"
        for line in code.read_text().splitlines()
    ]
    code.write_text("\n".join(lines) + "\n")
    return tmp_path


def test_the_difference_is_shown_and_then_written(project: Path) -> None:
    pipeline, ignored = project / "dvc.yaml", project / "data/.gitignore"
    pipeline.write_text(pipeline.read_text().replace("      - data/features.json: {persist: true}\n", "") + "# mine\n")
    ignored.write_text("/mine\n" + ignored.read_text().replace("/manifest.parquet\n", ""))
    found = plan_upgrade(project)
    assert found.stages == ("extract",)
    shown = found.differences()
    assert "+      - data/features.json: {persist: true}" in shown and "-extract: '0000000000000000'" in shown
    assert "+/manifest.parquet" in shown and "-/mine" not in shown
    before = (project / "params.yaml").read_text()
    found.write()
    assert plan_upgrade(project).differences() == "" and ignored.read_text().startswith("/mine\n")
    assert (project / "params.yaml").read_text() == before


def test_a_run_follows_the_installed_code(project: Path) -> None:
    assert follow_installed_code(project) == ("extract",)
    assert follow_installed_code(project) == () and plan_upgrade(project).stages == ()


def test_a_clone_of_thaw_itself_is_upgraded_by_git(tmp_path: Path) -> None:
    with pytest.raises(NotAProject, match="`git pull` upgrades it"):
        plan_upgrade(Path.cwd())
    assert follow_installed_code(Path.cwd()) == ()
    assert follow_installed_code(tmp_path) == ()
