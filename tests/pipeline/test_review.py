"""From the page of `thaw review` to a model that learnt from the corrections."""

import csv
import random
import shutil

import pytest
from project import Project

pytestmark = pytest.mark.slow


def review_rows(project: Project) -> list[dict[str, str]]:
    with (project.root / "data/review/review.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_corrections_flow_back_without_a_forward_pass(project: Project) -> None:
    source = project.root / "photos"
    project.run("thaw", "run", "--stage", "fetch")
    shutil.copytree(project.root / "data/sources/digits", source)
    for folder in source.iterdir():
        for file in sorted(folder.iterdir())[30:]:
            file.unlink()
    wrong = random.Random(0).sample(sorted(source.glob("[0-8]/*.png")), 6)
    for file in wrong:
        file.rename(source / "9" / f"was-{file.parent.name}-{file.name}")
    project.set("dataset.source=photos", "dataset.labels_per_class=null", "promotion.automatic=false")
    project.run("thaw", "run", "--until", "head")
    found = project.json("review")
    assert found["found"]["suspect"] >= 3
    right = {row["path"]: row["path"].split("-")[1] for row in review_rows(project) if "/was-" in row["path"]}
    assert len(right) >= 3

    with (project.root / "corrected.csv").open("w", newline="", encoding="utf-8-sig") as file:
        table = csv.writer(file, delimiter=";")  # as a spreadsheet program saves it
        table.writerow(("digest", "corrected"))
        table.writerows((row["digest"], right.get(row["path"], "")) for row in review_rows(project))
    before = (project.root / "data/corrections.csv").read_bytes()
    assert "nothing was written" in project.run("thaw", "review", "--apply", "corrected.csv", "--dry-run")
    assert (project.root / "data/corrections.csv").read_bytes() == before
    assert "corrections.csv" not in project.run("dvc", "status", "ingest")
    applied = project.run("thaw", "review", "--apply", "corrected.csv")
    assert f"{len(right)} corrections" in applied

    stages = {stage["name"]: stage["outcome"] for stage in project.json("run", "--until", "evaluate")["stages"]}
    assert stages["ingest"] == stages["head"] == stages["evaluate"] == "ran"
    log = (project.root / ".thaw/logs/extract.log").read_text()
    assert "300 examples: 300 with features already, 0 forward passes to do" in log
    project.run("thaw", "review")
    assert not {row["path"] for row in review_rows(project) if row["kind"] == "suspect"} & right.keys()
    assert project.json("run", "--until", "evaluate")["nothing_to_do"], (
        "reviewing changes nothing that a stage depends on"
    )
