"""The stage `ingest` as DVC runs it."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.project.paths import SETTINGS
from thaw.dataset.manifest import read_manifest
from thaw.params.sections import DatasetParams, Params
from thaw.params.values.reading import write_settings

ROOT = Path(__file__).resolve().parents[3]


def command() -> tuple[list[str], dict[str, str]]:
    return [sys.executable, "-m", "tasks.stages.ingest"], {**os.environ, "PYTHONPATH": str(ROOT)}


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    line, environment = command()
    return subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def project(picture_folder: Path) -> Path:
    folder = picture_folder.parent
    write_settings(Params(dataset=DatasetParams(source="source", max_rejected=1)), folder / SETTINGS)
    return folder


def test_it_writes_the_manifest_the_report_and_the_rejected(project: Path) -> None:
    (project / "source" / "ants" / 'odd, "name".jpg').write_text("no picture")
    result = run(project)
    assert result.returncode == 0, result.stderr
    assert len(read_manifest(project / "data" / "manifest.parquet")) == 12
    report = json.loads((project / "data" / "ingest" / "report.json").read_text())
    assert (report["examples"], report["rejected"], report["source"]) == (12, 1, "source")
    with (project / "data" / "ingest" / "rejected.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["path"] == 'ants/odd, "name".jpg'
    assert row["reason"].startswith("is not an image")
    assert "12 images of 2 classes" in result.stderr
    assert "- Rejected files: 1." in result.stderr


def test_a_class_without_a_training_example_is_refused_before_any_feature(project: Path) -> None:
    source = project / "source"
    rows = [f"{path.relative_to(source)},{path.parent.name},train" for path in sorted(source.glob("*/*"))]
    (source / "list.csv").write_text(
        "\n".join(["path,label,split", *rows[:-1], rows[-1].replace("bees,train", "moth,test")])
    )
    write_settings(Params(dataset=DatasetParams(source="source", listing="list.csv")), project / SETTINGS)
    result = run(project)
    assert result.returncode == 1 and "without training examples: 'moth'" in result.stderr
    assert not (project / "data" / "manifest.parquet").exists()


def test_a_second_run_writes_the_same_bytes(project: Path) -> None:
    def outputs() -> dict[str, bytes]:
        assert run(project).returncode == 0
        return {str(path): path.read_bytes() for path in sorted((project / "data").rglob("*")) if path.is_file()}

    assert outputs() == outputs()


def test_too_many_rejected_write_only_their_list(project: Path) -> None:
    for index in range(3):
        (project / "source" / "ants" / f"{index}.jpg").touch()
    result = run(project)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    last = result.stderr.splitlines()[-1]
    assert last.startswith("3 files of `source` cannot be used, and `dataset.max_rejected` allows 1")
    assert last.endswith("all of them are in .thaw/rejected.csv")
    assert len((project / ".thaw/rejected.csv").read_text().splitlines()) == 4
    assert not (project / "data" / "manifest.parquet").exists()


def test_a_mistake_is_one_plain_message(project: Path) -> None:
    write_settings(Params(dataset=DatasetParams(source="nowhere")), project / SETTINGS)
    result = run(project)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr


def test_killed_in_the_middle_it_leaves_no_manifest_and_the_next_run_completes(
    project: Path, draw: Callable[[Path, int], Path]
) -> None:
    for index in range(300):
        draw(project / "source" / "ants" / f"more-{index}.png", 1000 + index)
    line, environment = command()
    killed = subprocess.Popen(line, cwd=project, env=environment, stderr=subprocess.PIPE, text=True)
    assert killed.stderr is not None
    assert killed.stderr.readline().startswith("ingest: ")
    killed.send_signal(signal.SIGKILL)
    killed.wait(timeout=30)
    killed.stderr.close()
    if (project / "data" / "manifest.parquet").exists():  # it was faster than the signal
        read_manifest(project / "data" / "manifest.parquet")
    assert run(project).returncode == 0
    assert len(read_manifest(project / "data" / "manifest.parquet")) == 312


def test_interrupted_it_says_so(project: Path) -> None:
    os.mkfifo(project / "pipe")
    (project / SETTINGS).unlink()
    (project / SETTINGS).symlink_to("../pipe")  # the stage waits for its parameters
    line, environment = command()
    waiting = subprocess.Popen(line, cwd=project, env=environment, stderr=subprocess.PIPE, text=True)
    with (project / "pipe").open("w"):  # opens when the stage reads
        time.sleep(0.2)
        waiting.send_signal(signal.SIGINT)
        _, said = waiting.communicate(timeout=30)
    assert waiting.returncode == 130
    assert said == "interrupted; no file is half-written, and another run continues\n"
