"""The command line as a user meets it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from commands import Thaw
from ruamel.yaml import YAML
from toy import build_toy
from typer.core import TyperGroup
from typer.testing import CliRunner

from flows.cli import app
from flows.cli.app import GROUPS

COMMANDS = (
    "init",
    "doctor",
    "run",
    "status",
    "promote",
    "rollback",
    "models",
    "models log",
    "predict",
    "rank",
    "reproduce",
    "review",
    "watch",
    "trace",
    "ui",
    "up",
    "schedule",
    "follow",
    "notify",
    "notify add",
    "notify list",
    "notify remove",
    "notify test",
    "check",
    "config",
    "config show",
    "config explain",
    "config set",
    "cache",
    "cache ls",
    "cache verify",
    "cache gc",
    "cache compact",
    "cache export",
    "cache import",
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = build_toy(tmp_path / "toy")
    (root / "params.yaml").write_text(Path("params.yaml").read_text())
    return root


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str, tmp_path: Path, thaw: Thaw) -> None:
    assert f"Example: thaw {command.split(maxsplit=1)[0]}" in thaw(*command.split(), "--help", cwd=tmp_path).stdout


@pytest.mark.parametrize(
    ("command", "name", "former"),
    [
        ("serve", "--max-examples", "--max-images"),
        ("export", "--examples", "--images"),
        ("trace", "--example", "--image"),
    ],
)
def test_an_option_answers_to_its_former_name(command: str, name: str, former: str) -> None:
    commands = typer.main.get_command(app)
    assert isinstance(commands, TyperGroup)
    options = [option.opts for option in commands.commands[command].params]
    assert [name, former] in options


def test_one_stage_alone_and_all_that_it_needs_do_not_go_together(project: Path, thaw: Thaw) -> None:
    assert "give only one of the two" in thaw("run", "--stage", "head", "--until", "head", cwd=project, code=2).stderr


def test_the_help_names_the_exit_codes_and_imports_nothing_heavy(tmp_path: Path, thaw: Thaw) -> None:
    said = thaw("--help", cwd=tmp_path).stdout
    assert "4    the promotion was refused" in said and "5    drift was found" in said
    listed = "import sys, flows.cli; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    found = subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, check=True)
    heavy = {
        "torch",
        "torchvision",
        "prefect",
        "mlflow",
        "dvc",
        "pandas",
        "pyarrow",
        "sklearn",
        "matplotlib",
        "pydantic",
    }
    assert not heavy & set(found.stdout.split())


def test_every_command_stands_in_one_group_of_the_help() -> None:
    commands: Any = typer.main.get_command(app)
    grouped = [name for names in GROUPS.values() for name in names]
    assert sorted(grouped) == sorted(commands.commands)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands(shell: str) -> None:
    """As the script asks that `thaw --install-completion` writes."""
    asked = {"_THAW_COMPLETE": f"complete_{shell}", "COMP_WORDS": "thaw ro", "COMP_CWORD": "1"}
    asked |= {"_TYPER_COMPLETE_ARGS": "thaw ro", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli"], env={**os.environ, **asked}, capture_output=True, text=True, check=False
    )
    assert "rollback" in done.stdout and "promote" not in done.stdout


def test_outside_a_project_it_says_so(tmp_path: Path, thaw: Thaw) -> None:
    assert "not in a Thaw project" in thaw("status", cwd=tmp_path, code=1).stderr
    assert "No such command" in thaw("rnu", cwd=tmp_path, code=2).stderr


def test_config_set_keeps_comments_and_refuses_what_is_wrong(project: Path, thaw: Thaw) -> None:
    before = (project / "params.yaml").read_text()
    assert "no such key" in thaw("config", "set", "strategy.knd=mlp", cwd=project, code=1).stderr
    assert "'auto', 'linear', 'mlp'" in thaw("config", "set", "strategy.kind=tree", cwd=project, code=1).stderr
    assert (project / "params.yaml").read_text() == before
    shown = thaw("config", "set", "strategy.kind=mlp", "--dry-run", cwd=project).stdout
    assert "mlp" in shown and (project / "params.yaml").read_text() == before
    thaw(
        "config",
        "set",
        "strategy.kind=mlp",
        "dataset.source=hymenoptera",
        "backbone.weights=ResNet18_Weights.IMAGENET1K_V1",
        cwd=project,
    )
    after = (project / "params.yaml").read_text()
    values = YAML(typ="safe").load(after)
    assert (values["strategy"]["kind"], values["dataset"]["source"]) == ("mlp", "data/sources/hymenoptera")
    assert values["backbone"]["weights"] == "data/weights/ResNet18_Weights.IMAGENET1K_V1.pth"
    assert all(line.split("#")[1] in after for line in before.splitlines() if "#" in line), "comments are kept"


def test_config_show_marks_what_differs(project: Path, thaw: Thaw) -> None:
    shown = json.loads(thaw("config", "show", "--json", cwd=project).stdout)
    assert shown["dataset.labels_per_class"]["value"] == 5


def test_check_computes_nothing_and_finds_what_is_missing(project: Path, thaw: Thaw) -> None:
    thaw("config", "set", "dataset.source=nowhere", cwd=project)
    found = json.loads(thaw("check", "--json", cwd=project, code=1).stdout)
    assert [one["check"] for one in found if one["verdict"] == "fail" and "nowhere" in one["says"]]
    assert not (project / "data").exists()
    lines = thaw("check", cwd=project, code=1).stdout.splitlines()
    verdicts = [line.split()[0] for line in lines if line.split()[:1] and line.split()[0] in {"pass", "warn", "fail"}]
    assert verdicts == sorted(verdicts, key=["pass", "warn", "fail"].index), (
        "what needs a hand stands next to the prompt"
    )
    assert lines[-1] == "1 check fails: data source."


def test_a_link_that_leads_nowhere_is_named_before_dvc_stumbles(project: Path, thaw: Thaw) -> None:
    (project / "photos/ants").mkdir(parents=True)
    (project / "photos/ants/broken.jpg").symlink_to("nowhere.jpg")
    thaw("config", "set", "dataset.source=photos", cwd=project)
    assert "broken.jpg" in thaw("run", cwd=project, code=1).stderr


@pytest.mark.slow
def test_an_empty_registry_is_no_error_but_nothing_can_be_promoted(
    project: Path, thaw: Thaw, prefect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", prefect)
    assert json.loads(thaw("models", "--json", cwd=project).stdout)["versions"] == []
    assert "challenger" in thaw("promote", cwd=project, code=1).stderr
    assert "no champion" in thaw("predict", str(project / "input.txt"), cwd=project, code=1).stderr


def test_review_says_what_is_missing_and_which_options_go_together(project: Path, thaw: Thaw) -> None:
    assert "thaw run --stage ingest" in thaw("review", cwd=project, code=1).stderr
    assert "go with --apply" in thaw("review", "--dry-run", cwd=project, code=2).stderr
    assert "thaw run --stage ingest" in thaw("review", "--apply", "nowhere.csv", cwd=project, code=1).stderr
    assert not (project / "data").exists()


def test_trace_and_reproduce_say_what_is_missing_and_which_options_go_together(project: Path, thaw: Thaw) -> None:
    assert "has no version with the alias `champion`" in thaw("trace", cwd=project, code=1).stderr
    assert "has no version 3" in thaw("reproduce", "3", "--dry-run", cwd=project, code=1).stderr
    assert "neither .svg nor .html" in thaw("trace", "--graph", "x.png", cwd=project, code=2).stderr
    assert "leave out VERSION" in thaw("trace", "3", "--image", "x.png", cwd=project, code=2).stderr
    assert "None of 0 versions" in thaw("trace", "--image", "input.txt", cwd=project).stdout
    assert "not empty" in thaw("reproduce", "3", "--keep", ".", cwd=project, code=2).stderr
    assert [path.name for path in (project / ".thaw").glob("reproduce-*")] == []


def test_corrections_that_cannot_be_read_are_found_before_a_run(project: Path, thaw: Thaw) -> None:
    def found(code: int = 1) -> dict[str, str]:
        checks = json.loads(thaw("check", "--json", cwd=project, code=code).stdout)
        (one,) = (check for check in checks if check["check"] == "corrections")
        return dict(one)

    path = project / "data/corrections.csv"
    path.parent.mkdir()
    path.write_text("digest,label,path\nno digest,ants,1.png\n")
    assert found()["verdict"] == "fail" and "is no digest" in found()["says"]
    path.unlink()
    assert found(code=0)["verdict"] == "pass", "nothing depends on it here"
    stages = project / "dvc.yaml"
    stages.write_text(stages.read_text().replace("input.txt]", "input.txt, data/corrections.csv]"))
    assert found()["advice"] == "`git checkout data/corrections.csv`"


def test_what_needs_a_prefect_server_says_so(project: Path, thaw: Thaw) -> None:
    for command in (["notify", "list"], ["follow"], ["schedule"]):
        if command == ["schedule"]:
            (project / "prefect.yaml").write_text(Path("prefect.yaml").read_text())
            (project / "flows").symlink_to(Path("flows").resolve())
        assert "no Prefect server is up; start `thaw up`" in thaw(*command, cwd=project, code=1).stderr


def test_without_deployments_nothing_is_started(project: Path, thaw: Thaw) -> None:
    for command in ("up", "schedule"):
        assert "prefect.yaml; `git checkout" in thaw(command, cwd=project, code=1).stderr
    assert not (project / ".thaw").exists()


def commands_below() -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Of `thaw` and each command that holds others: how it is called, and the names of those."""
    whole = typer.main.get_command(app)
    assert isinstance(whole, TyperGroup)
    below = [((name,), group) for name, group in whole.commands.items() if isinstance(group, TyperGroup)]
    return [(called, tuple(group.commands)) for called, group in (((), whole), *below)]


@pytest.mark.parametrize(("called", "names"), commands_below(), ids=lambda words: " ".join(words)[:12])
def test_every_command_is_told_in_one_whole_line_at_80_columns(called: tuple[str, ...], names: tuple[str, ...]) -> None:
    said = CliRunner().invoke(app, [*called, "--help"], env={"COLUMNS": "80"}).output
    titles = ("Commands",) if called else tuple(GROUPS)
    sections = [said.partition(f"{title}:\n")[2].split("\n\n", maxsplit=1)[0] for title in titles]
    lines = [line for section in sections for line in section.splitlines()]
    assert sorted(line.split()[0] for line in lines) == sorted(names)
    assert all(line.endswith(".") and "..." not in line and len(line) <= 80 for line in lines), said
