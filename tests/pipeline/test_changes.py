"""What changes costs only itself."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from project import Project

pytestmark = pytest.mark.slow


def log_of(project: Project, stage: str) -> str:
    return (project.root / f".thaw/logs/{stage}.log").read_text()


def test_new_images_new_labels_and_a_new_head_cost_only_themselves(project: Project) -> None:
    source = project.root / "photos"
    project.run("thaw", "run", "--stage", "fetch")
    shutil.copytree(project.root / "data/sources/digits", source)
    held = []
    for folder in sorted(source.iterdir()):
        for file in sorted(folder.iterdir())[40:]:
            held.append(file)
            file.unlink() if len(held) > 10 else file.rename(project.root / f"held-{folder.name}-{file.name}")
    project.set("dataset.source=photos", "promotion.automatic=false")
    ran = project.run("thaw", "run", "--until", "head", "--set", "promotion.margin=0.001")
    assert re.search(r"warning: promotion.margin: a margin of 0.1 points is less than about \d+ test rows resolve", ran)
    assert "400 examples: 0 with features already, 400 forward passes to do" in log_of(project, "extract")

    # Ten more images: ten forward passes.
    for file in sorted(project.root.glob("held-*")):
        _, label, name = file.name.split("-", 2)
        file.rename(source / label / name)
    project.run("thaw", "run", "--until", "extract")
    assert "410 examples: 400 with features already, 10 forward passes to do" in log_of(project, "extract")

    # A corrected label: none.
    moved = next((source / "3").iterdir())
    moved.rename(source / "5" / f"was-3-{moved.name}")
    project.run("thaw", "run", "--until", "extract")
    assert "410 examples: 410 with features already, 0 forward passes to do" in log_of(project, "extract")

    # Another head: neither ingest nor extract run.
    project.set("strategy.kind=knn")
    stages = {stage["name"]: stage["outcome"] for stage in project.json("run")["stages"]}
    assert stages["ingest"] == stages["extract"] == "up to date"
    assert stages["head"] == stages["evaluate"] == stages["track"] == "ran"
    assert project.json("models")["versions"][0]["aliases"] == ["challenger"]

    # Unchanged again, by either door.
    assert project.json("run")["nothing_to_do"]
    assert "Data and pipelines are up to date" in project.run("dvc", "repro")


def test_too_many_bad_files_stop_the_run_before_any_compute(
    project: Project, draw: Callable[[Path, int], Path]
) -> None:
    for label in "ab":
        for number in range(4):
            draw(project.root / "photos" / label / f"whole-{number}.jpg", number + 10 * ord(label))
        for number in range(12):
            path = project.root / "photos" / label / f"{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"no picture")
    project.set("dataset.source=photos")
    output = project.run("thaw", "run", code=3)
    assert "dataset.max_rejected" in output and "Traceback" not in output
    assert not (project.root / "data/features.json").exists()


@pytest.mark.parametrize("change", ["dataset.source=nowhere", "backbone.weights=nowhere.pth"])
def test_what_the_user_can_mend_is_one_plain_sentence(change: str, project: Project) -> None:
    project.set(change)
    output = project.run("thaw", "run", code=1)
    assert "nowhere" in output and "Traceback" not in output
