"""Parameters, their defaults too, and code run the stages that depend on them and no other, as DVC itself says.

The stages do next to nothing here; their dependencies, parameters and order are the repository's own.
"""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from project import Project, clone
from ruamel.yaml import YAML

pytestmark = pytest.mark.slow

FAKE = """\
import pathlib, shutil, sys, yaml
name = sys.argv[1]
with open("ran.log", "a") as log:
    log.write(f"{name}\\n")
for out in yaml.safe_load(open("dvc.yaml"))["stages"][name]["outs"]:
    path = pathlib.Path(next(iter(out)) if isinstance(out, dict) else out)
    if name == "fetch":
        for number in range(10):
            file = path / "digits" / str(number % 2) / str(number)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(str(number))
        shutil.copy("data/pretrain/small.safetensors", path / "thaw_small.safetensors")
        continue
    if not path.suffix:
        path.mkdir(parents=True, exist_ok=True)
        path = path / "content"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
"""
OF_HEAD = ["advise", "head", "finetune", "compare", "evaluate"]
"""The stages that depend on the section `head`."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, prefect: str, warm: Path) -> Project:
    """A project whose stages have all run, committed to Git."""
    project = clone(tmp_path_factory.mktemp("finished") / "project", prefect=prefect, programs=warm)
    pipeline = YAML(typ="safe").load((project.root / "dvc.yaml").read_text())
    for name, stage in pipeline["stages"].items():
        stage["cmd"] = stage["cmd"] if name in ("code", "settings") else f"python fake.py {name}"
    with (project.root / "dvc.yaml").open("w") as file:
        YAML().dump(pipeline, file)
    (project.root / "fake.py").write_text(FAKE)
    (project.root / ".gitignore").open("a").write("ran.log\n")
    project.run("dvc", "repro", "--quiet")
    project.run("git", "add", "--all")
    project.run("git", "commit", "--quiet", "--message", "Finished")
    return project


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """A copy of the finished project, where nothing has to run."""
    root = Path(shutil.copytree(finished.root, tmp_path / "project", symlinks=True))
    (root / "ran.log").unlink()
    return replace(finished, root=root)


def change_code(project: Project, file: str, old: str, new: str) -> None:
    path = project.root / "thaw/params/sections" / file
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def reproduced(project: Project) -> list[str]:
    """The stages that `dvc repro` runs, but `code` and `settings`."""
    project.run("dvc", "repro", "--quiet")
    log = project.root / "ran.log"
    return log.read_text().split() if log.exists() else []


def would_run(project: Project) -> dict[str, Any]:
    """The stages that are not up to date, and why, as `thaw status` tells before anything runs."""
    stages = project.json("status")["stages"]
    return {each["name"]: each["why"] for each in stages if each["state"] != "up to date"}


def test_another_default_in_the_code_runs_the_stages_that_depend_on_it(project: Project) -> None:
    change_code(project, "head.py", "folds: int = Field(5,", "folds: int = Field(4,")
    told = would_run(project)
    assert {name for name, why in told.items() if "head.folds modified" in why} == {*OF_HEAD}
    assert not {"fetch", "ingest", "extract"} & {*told}
    project.run("dvc", "repro", "--quiet", "settings")
    stale = json.loads(project.run("dvc", "status", "--json", "dvc.yaml"))
    assert {*stale} == {*OF_HEAD}
    assert reproduced(project) == OF_HEAD


def test_a_default_that_only_commands_read_and_another_meaning_run_no_stage(project: Project) -> None:
    change_code(
        project,
        "release.py",
        "min_rows: PositiveInt = Field(\n        30,",
        "min_rows: PositiveInt = Field(\n        31,",
    )
    change_code(project, "head.py", "folds of the cross-validation", "parts of the cross-validation")
    assert reproduced(project) == []
    assert "min_rows: 31" in (project.root / "data/params.yaml").read_text()


def test_code_runs_the_stages_that_import_it_and_a_page_runs_no_training(project: Project) -> None:
    neighbours = project.root / "thaw/heads/neighbours.py"
    neighbours.write_text(neighbours.read_text() + "\n")
    told = would_run(project)
    changed = {name for name, why in told.items() if "its code modified" in why}
    assert {"head", "evaluate"} <= changed and not {"settings", "fetch", "ingest", "extract"} & {*told}
    assert {*reproduced(project)} == changed
    (project.root / "ran.log").unlink()
    page = project.root / "thaw/evaluation/report.html.j2"
    page.write_text(page.read_text() + "\n")
    assert reproduced(project) == ["evaluate"]
    assert would_run(project) == {}


def test_a_default_that_the_file_overrules_runs_no_stage(project: Project) -> None:
    change_code(project, "dataset.py", 'Share = Field(0.2, description="share for the test")', "Share = Field(0.3)")
    assert reproduced(project) == []


def test_a_key_that_the_file_does_not_hold_is_set_and_run_in_one_command(project: Project) -> None:
    ran = project.json("run", "--until", "evaluate", "--set", "head.folds=3")["stages"]
    assert [stage["name"] for stage in ran if stage["outcome"] == "ran"] == ["settings", *OF_HEAD]
    assert "folds: 3" in (project.root / "params.yaml").read_text()
    assert would_run(project) == {}


def test_dvc_sets_it_for_an_experiment(project: Project) -> None:
    project.run("dvc", "exp", "run", "--quiet", "--set-param", "++head.folds=3", "--set-param", "++strategy.minutes=2")
    assert (project.root / "ran.log").read_text().split() == OF_HEAD
    assert "folds: 3" in (project.root / "data/params.yaml").read_text()


def test_what_is_set_back_has_nothing_to_do(project: Project) -> None:
    project.set("head.folds=3")
    assert {*would_run(project)} >= {*OF_HEAD}
    project.set("head.folds=5")
    assert {*would_run(project)} <= {"settings"}
    assert reproduced(project) == []


def test_before_anything_has_run_the_status_says_so_in_a_few_words(project: Project) -> None:
    (project.root / "dvc.lock").unlink()
    shutil.rmtree(project.root / "data/report")
    (project.root / "data/params.yaml").unlink()
    told = would_run(project)
    assert told["evaluate"] == told["settings"] == "it has not run yet"
    assert set(told.values()) == {"it has not run yet"} and len(told) == 11
