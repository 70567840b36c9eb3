"""What the documentation says is so: its tutorials are run as they stand, its commands exist, its tests are there.

The other pages' commands are run by test_readme.py, test_sharing.py and test_operations.py.
"""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from documented import DOCS, README, ROOT, blocks
from project import CHEAP, Project, clone

PAGES = [README, *sorted(DOCS.glob("*.md"))]
TUTORIALS = ("tutorial-prefect", "tutorial-dvc", "tutorial-mlflow")
"""In this order: each begins where the one before has ended."""


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_every_command_of_the_tutorials_runs(tmp_path: Path) -> None:
    project = clone(tmp_path / "project", CHEAP)
    said = {name: _run(project, "\n".join(blocks(DOCS / f"{name}.md")), name) for name in TUTORIALS}
    nothing = "Data and pipelines are up to date."
    assert said["tutorial-dvc"].count(nothing) == 4, f"`dvc repro` and each `dvc status`:\n{said['tutorial-dvc']}"
    assert "Nothing to do: every stage is up to date." in said["tutorial-prefect"]
    (python,) = blocks(DOCS / "tutorial-mlflow.md", "python")
    found = subprocess.run(
        ["python", "-c", python], cwd=project.root, env=project.environment(), text=True, capture_output=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert found.returncode == 0 and "confidence" in found.stdout, found.stdout + found.stderr


def _run(project: Project, commands: str, name: str) -> str:
    """A page's commands in one shell, as a reader types them; it stops at the first that fails. Returns what they print."""
    script = f"set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{commands}"
    found = subprocess.run(
        ["bash", "-c", script], cwd=project.root, env=project.environment(), text=True, timeout=1500, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert found.returncode == 0, f"docs/{name}.md:\n{found.stdout[-6000:]}"
    return found.stdout


def commands() -> list[tuple[str, str]]:
    """Every line of the pages that starts with `thaw`, and the page."""
    lines = [(page.name, line) for page in PAGES for block in blocks(page) for line in block.splitlines()]
    return [(page, line.strip()) for page, line in lines if line.strip().startswith("thaw ")]


@pytest.mark.parametrize(("page", "line"), sorted(set(commands())))
def test_every_command_and_option_exists(page: str, line: str) -> None:
    import typer
    from typer.main import get_command

    from flows.cli.app import app

    words = shlex.split(line, comments=True)[1:]
    for end in ("|", "||", "&", ">", "2>&1"):
        words = words[: words.index(end)] if end in words else words
    command = get_command(app)
    context = typer.Context(command)
    while words and hasattr(command, "get_command") and (below := command.get_command(context, words[0])):
        command, words = below, words[1:]
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    options = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert command.name != "thaw" or options <= {"--version", "--help"}, f"{page}: `{line}` names no command"
    assert options <= known, f"{page}: `{line}` has options that there are not: {options - known}"


def test_every_test_in_the_table_of_faults_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs/reliability.md").read_text())
    assert len(named) > 20
    for file, test in named:
        assert re.search(rf"^def {test}\(", (ROOT / file).read_text(), re.MULTILINE), f"{file} has no {test}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}, which is not there"
