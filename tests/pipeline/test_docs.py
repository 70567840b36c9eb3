"""What the documentation says is so: its commands exist, its links lead somewhere, its tests are there, and every block has a test that runs it.

The commands are run by test_pages.py, test_tutorials.py, test_team.py, test_real.py and test_page.py.
"""

import re
import shlex
from pathlib import Path

import pytest
from documented import (
    DOCS,
    ELSEWHERE,
    NOTEBOOK,
    PAGES,
    README,
    ROOT,
    TEAM,
    TUTORIALS,
    WALKED,
    Elsewhere,
    anchors,
    block_with,
    blocks,
    prose,
)

LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
"""Relative links: the path, which is empty for the page itself, and the anchor."""


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


def test_the_readme_names_every_command() -> None:
    from typer.main import get_command

    from flows.cli.app import app

    names = set(get_command(app).commands)
    assert names == set(re.findall(r"`thaw ([a-z]+)`", re.sub(r"`thaw COMMAND[^`]*`", "", prose(README))))
    assert README.stat().st_size <= 8_000


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_commands_is_run_by_a_test(page: Path) -> None:
    assert page in (*WALKED, *TUTORIALS, *TEAM, *NOTEBOOK) or not blocks(page) + blocks(page, "python")
    assert page in (*WALKED, *NOTEBOOK) or page.name == "tutorial-mlflow.md" or not blocks(page, "python")


@pytest.mark.parametrize("block", ELSEWHERE, ids=lambda block: block.beginning)
def test_what_is_run_elsewhere_is_run_there(block: Elsewhere) -> None:
    assert block_with(block.page, block.beginning)
    test = (ROOT / block.test).read_text()
    assert f'"{block.page.name}", "{block.beginning}")' in test, f"{block.test} does not run it"


def test_every_test_in_the_table_of_faults_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (DOCS / "reliability.md").read_text())
    assert len(named) > 20
    for file, test in named:
        assert re.search(rf"^def {test}\(", (ROOT / file).read_text(), re.MULTILINE), f"{file} has no {test}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for path, anchor in LINK.findall(prose(page)):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name} links to {path}, which is not there"
        assert not anchor or anchor in anchors(target), f"{page.name} links to {path}#{anchor}: no such heading"


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, ahead = {README}, [README]
    while ahead:
        page = ahead.pop()
        linked = {(page.parent / path).resolve() for path, _ in LINK.findall(prose(page)) if path.endswith(".md")}
        ahead += sorted(linked - reached)
        reached |= linked
    assert set(PAGES) <= reached, f"no page links to {[page.name for page in set(PAGES) - reached]}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_and_modules_that_a_page_names_are_there(page: Path) -> None:
    text = page.read_text()
    for file in re.findall(r"(?<![\w/.-])((?:thaw|tasks|flows|benchmarks|tests|examples)/[\w/]+\.\w+)", text):
        assert (ROOT / file).is_file(), f"{page.name} names {file}, which is not there"
    for module in re.findall(r"python -m ((?:tasks|flows|thaw)[\w.]+)", text):
        path = ROOT / module.removesuffix(".NAME").replace(".", "/")
        assert path.is_dir() or path.with_suffix(".py").is_file(), f"{page.name} names {module}, which is not there"
