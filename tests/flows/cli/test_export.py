"""`thaw export`, as a user types it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from registered_digits import build_registered
from typer.testing import CliRunner, Result

from flows.cli.app import app


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        root = tmp_path_factory.mktemp("project")
        patch.setenv("COLUMNS", "200")
        build_registered(root)
        patch.chdir(root / "photos")  # somewhere in the project
        yield root


@pytest.fixture(autouse=True)
def _in_photos(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project / "photos")  # the command goes to the project's root


def export(*options: str) -> Result:
    return CliRunner().invoke(app, ["export", *options])


def test_a_dry_run_says_what_would_happen_and_writes_nothing(project: Path) -> None:
    said = export("--dry-run")
    assert said.exit_code == 0, said.output
    assert "models:/my digits/1 would be exported as onnx to data/exports/my-digits-1-onnx" in said.output
    assert not (project / "data/exports").exists()
    plan = json.loads(export("--dry-run", "--json", "--format", "torch").stdout)
    assert plan["format"] == "torch" and plan["folder"] == "data/exports/my-digits-1-torch"


def test_it_writes_the_folder_that_is_named_where_the_caller_stands(project: Path) -> None:
    said = export("--out", "here")
    assert said.exit_code == 0, said.output
    assert "model.onnx" in said.stdout and "100.0% of the labels are equal" in said.stdout
    assert "checking it on" in said.stderr
    folder = project / "photos/here"
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "model.json", "model.onnx"]
    again = export("--out", str(folder))
    assert again.exit_code == 1 and "exists already" in again.stderr and "Traceback" not in again.output


def test_as_json_it_prints_the_card_and_the_files(project: Path) -> None:
    picture = next(Path("1").glob("*.png"))
    said = export("--format", "torch", "--images", str(picture), "--json")
    assert said.exit_code == 0, said.output
    found = json.loads(said.stdout)
    assert found["card"]["checked"]["images"] == 1 and found["card"]["format"] == "torch"
    assert [name for name, size in found["files"] if size > 0] == ["README.md", "model.json", "model.pt2"]


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (("--format", "pickle"), 2, "'pickle' is not one of 'onnx', 'onnx-int8', 'torch'"),
        (("--format", "torch", "--int8"), 2, "give only one of the two"),
        (("--examples", "none.png"), 2, "does not exist"),
        (("--model", "models:/my digits/9"), 1, "has no version 9"),
    ],
)
def test_what_cannot_be_done_is_said_in_words(options: tuple[str, ...], code: int, says: str) -> None:
    said = export(*options)
    assert said.exit_code == code and says in said.output and "Traceback" not in said.output
