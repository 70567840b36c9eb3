"""`thaw init`, as it is typed."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Tester")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "tester@example.org")
    return tmp_path


def thaw(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == code, result.output
    return result.output


def test_a_dry_run_writes_nothing_and_the_command_says_what_comes_next(here: Path) -> None:
    told = thaw("init", "birds", "--example", "texts", "--dry-run")
    assert "would write" in told and "would begin a Git repository" in told and not (here / "birds").exists()
    told = thaw("init", "birds", "--example", "texts")
    assert "`thaw config set dataset.source=TABLE`" in told and told.rstrip().endswith(
        "cd birds\n  thaw check\n  thaw run"
    )


def test_an_upgrade_of_what_is_up_to_date_says_so(here: Path) -> None:
    thaw("init", "birds", "--no-git")
    assert "up to date" in thaw("init", "birds", "--upgrade")
    code = here / "birds/data/code.yaml"
    code.write_text(code.read_text().replace("head: ", "head: 0"))
    told = thaw("init", "birds", "--upgrade", "--dry-run")
    assert "The code of head has changed" in told and "Nothing is written" in told
    assert "Wrote data/code.yaml" in thaw("init", "birds", "--upgrade")
    assert "up to date" in thaw("init", "birds", "--upgrade")


def test_an_unknown_example_and_no_project_end_with_one_line(here: Path) -> None:
    thaw("init", "birds", "--example", "bird", code=1)
    thaw("init", "birds", "--upgrade", code=1)
    assert not (here / "birds").exists()
