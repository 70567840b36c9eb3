"""A new project: what it holds, what stands in its way, and Git and DVC in it."""

import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from flows.project.creation.examples import EXAMPLES, model_name, notes_of, parameters_of
from flows.project.creation.making import Plan, make_project, plan_project
from flows.project.creation.pipeline import pipeline_text
from flows.project.errors import NotEmpty, ToolFailed
from tasks.project.code_digests import STAGES
from thaw.foundation.errors import BadParameters
from thaw.params.values.reading import check_params


@pytest.fixture(autouse=True)
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Git knows who commits, whatever this machine's own settings are."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Tester")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "tester@example.org")


def git(root: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True).stdout


def made(plan: Plan) -> list[str]:
    return list(make_project(plan))


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_has_valid_parameters_with_the_projects_name(example: str) -> None:
    text = parameters_of(example, "birds")
    params = check_params(YAML(typ="safe").load(text), example)
    assert params.registry.name == "birds"
    assert "cp examples" not in text and "data/pretrain" not in text
    assert all(notes_of(example)) and len(text.splitlines()) < 30


def test_an_unknown_example_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadParameters, match=r"`bird`; the examples are digits, own, "):
        parameters_of("bird", "x")


def test_a_project_is_committed_and_has_nothing_left_to_add(tmp_path: Path) -> None:
    root = tmp_path / "my birds"
    steps = made(plan_project(root, parameters_of("own", model_name(root.name))))
    assert [step.split()[0] for step in steps] == ["wrote", "began", "began", "committed"]
    assert git(root, "status", "--porcelain") == ""
    tracked = set(git(root, "ls-files").splitlines())
    assert {
        "params.yaml",
        "dvc.yaml",
        "prefect.yaml",
        "data/code.yaml",
        "data/corrections.csv",
        ".dvc/config",
    } <= tracked
    assert "registry: {name: my-birds}" in (root / "params.yaml").read_text()
    stages = YAML(typ="safe").load((root / "dvc.yaml").read_text())["stages"]
    assert {*stages} == {*STAGES}, "the code of Thaw is not in the project"


@pytest.mark.parametrize("inside", [True, False])
def test_a_folder_with_files_takes_force_and_keeps_them(tmp_path: Path, inside: bool) -> None:
    (tmp_path / "README.md").write_text("mine")
    if inside:
        git(tmp_path, "init", "--quiet")
    with pytest.raises(NotEmpty, match=r"has files; `--force`"):
        plan_project(tmp_path, parameters_of("digits", "birds"))
    plan = plan_project(tmp_path, parameters_of("digits", "birds"), force=True)
    assert plan.kept == (Path("README.md"),) and plan.new_repository is not inside
    made(plan)
    assert (tmp_path / "README.md").read_text() == "mine"
    assert git(tmp_path, "status", "--porcelain").split() == ["??", "README.md"], "what is not ours is not committed"
    with pytest.raises(NotEmpty, match=r"params\.yaml, dvc\.yaml.*thaw init --upgrade"):
        plan_project(tmp_path, parameters_of("digits", "birds"), force=True)


def test_a_project_may_lie_inside_a_repository(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    made(plan_project(tmp_path / "models/birds", parameters_of("digits", "birds")))
    assert not (tmp_path / "models/birds/.git").exists()
    assert "models/birds/params.yaml" in git(tmp_path, "ls-files")


def test_git_can_be_left_alone(tmp_path: Path) -> None:
    made(plan_project(tmp_path / "birds", parameters_of("digits", "birds"), git=False))
    assert not (tmp_path / "birds/.git").exists()
    assert "no_scm = True" in (tmp_path / "birds/.dvc/config").read_text()


def test_what_would_hide_thaw_and_a_file_in_the_way_are_refused(tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    with pytest.raises(NotEmpty, match="`tasks`, which would hide"):
        plan_project(tmp_path, parameters_of("digits", "birds"), force=True)
    (tmp_path / "file").touch()
    with pytest.raises(NotEmpty, match="is a file"):
        plan_project(tmp_path / "file", parameters_of("digits", "birds"))


def test_without_git_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolFailed, match="--no-git"):
        plan_project(tmp_path / "birds", parameters_of("digits", "birds"))


def test_stages_of_the_users_own_stay_in_the_pipeline() -> None:
    own = "stages:\n  head: {cmd: old}\n  mine: {cmd: echo, deps: [x]}\n"
    stages = YAML(typ="safe").load(pipeline_text(own))["stages"]
    assert stages["mine"] == {"cmd": "echo", "deps": ["x"]} and stages["head"]["cmd"] == "python -m tasks.stages.head"
    assert pipeline_text(pipeline_text()) == pipeline_text(), "an upgrade of today's pipeline changes nothing"
