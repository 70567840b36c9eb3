"""What every stage does with the outputs of its last run: they stay until its end, and then nothing of them is left."""

import errno
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ruamel.yaml import YAML
from stage_runs import run_stage

from flows.dvc.program import GROWING
from tasks.project.paths import ADVICE_PAGE, FEATURES, FINETUNED, HEAD, INGEST, REPORT, SOURCES, WEIGHTS
from tasks.stages import advise, finetune, head, ingest
from tasks.stages.evaluate import stage as evaluate
from thaw.foundation.files import atomic

FOLDERS = {INGEST: ingest, ADVICE_PAGE: advise, HEAD: head, FINETUNED: finetune, REPORT: evaluate}
"""Each folder that a stage replaces, with the stage."""
PIPELINE = YAML(typ="safe").load(Path("dvc.yaml").read_text())["stages"]
EVERY_FOLDER = pytest.mark.parametrize(("folder", "stage"), FOLDERS.items(), ids=[path.name for path in FOLDERS])


def test_no_folder_is_forgotten() -> None:
    outs = {Path(out) for stage in PIPELINE.values() for each in stage["outs"] for out in each}
    assert {path for path in outs if not path.suffix} - {FEATURES, SOURCES, WEIGHTS} == {*FOLDERS}
    assert {path.as_posix() for path in (FEATURES, SOURCES, WEIGHTS)} == GROWING


@EVERY_FOLDER
def test_no_file_of_a_former_run_is_left(project: Path, folder: Path, stage: ModuleType) -> None:
    names = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    (folder / "figures").mkdir(exist_ok=True)
    (folder / "figures/left-over.png").touch()
    (folder / "openness.json").write_text("of a former run")
    run_stage(stage)
    assert {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()} == names


@EVERY_FOLDER
def test_a_stage_that_fails_at_its_very_end_leaves_what_was_there(
    project: Path, folder: Path, stage: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = outputs_of(stage)
    refuse_writes(monkeypatch, folder)
    with pytest.raises(OSError, match="No space left"):
        run_stage(stage)
    monkeypatch.undo()
    assert before and outputs_of(stage) == before
    assert not [path for path in folder.parent.iterdir() if path.name.startswith(".") and path.name != ".gitignore"]


def refuse_writes(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let the disk be full once the whole content of the folder was written."""
    sync = atomic.sync

    def full(path: Path) -> None:
        if path.name == f".{folder.name}.new":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        sync(path)

    monkeypatch.setattr(atomic, "sync", full)


def outputs_of(stage: ModuleType) -> dict[Path, bytes]:
    """The content of every output of the stage in `dvc.yaml`."""
    name = stage.__name__.removeprefix("tasks.stages.").removesuffix(".stage")
    outs: list[dict[str, Any]] = PIPELINE[name]["outs"]
    paths = [path for each in outs for out in each for path in (Path(out), *Path(out).rglob("*"))]
    return {path: path.read_bytes() for path in paths if path.is_file()}
