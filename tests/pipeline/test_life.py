"""The life after training, on real servers: a scheduled run, new data, a poisoned set, drift and a rollback, and nobody who asks the model is ever let down."""

import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from living import Client, Living, living, wait_for
from PIL import Image, ImageFilter
from project import CHEAP, Project, clone
from registration import copy_empty_store
from started import lay_prefect_home

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]

SETTINGS = (
    "dataset.source=photos",
    "dataset.labels_per_class=null",
    "promotion.margin=0.1",  # the test is small, and the second version no better than the first
)
DRIFT_FOUND = 5
NIGHTLY, EVERY_MINUTE = 'cron: "0 2 * * *"', 'cron: "* * * * *"'


@pytest.fixture
def project(tmp_path: Path, prefect: str, prefect_home: Path, empty_store: Path, warm: Path) -> Project:
    """Forty handwritten digits a class as photographs of the user's. Its `thaw up` has a Prefect server of its own, and is a process of its own."""
    made = clone(tmp_path / "project", CHEAP, prefect=prefect, programs=warm)
    made.run("thaw", "run", "--stage", "fetch")
    chance = random.Random(0)  # neighbours in the set are by one hand, which would be a drift of its own
    for folder in sorted((made.root / "data/sources/digits").iterdir()):
        for number, file in enumerate(chance.sample(sorted(folder.iterdir()), 80)):
            kept = "photos" if number < 40 else "later" if number < 50 else "unseen"
            (made.root / kept / folder.name).mkdir(parents=True, exist_ok=True)
            shutil.copy(file, made.root / kept / folder.name)
    made.set(*SETTINGS)
    lay_prefect_home(prefect_home, made.root)
    copy_empty_store(empty_store, made.root)
    return replace(made, prefect="")


def test_from_the_first_scheduled_run_to_a_rollback(project: Project) -> None:
    change_schedule(project, NIGHTLY, EVERY_MINUTE)
    with living(project, "--no-follow") as up:
        scheduled = wait_for(up.ended_runs, up.said)[0]
        assert scheduled["state"]["type"] == "COMPLETED", up.said()
        assert scheduled["auto_scheduled"], "the scheduler made it, not a person"
        assert champion(project) == 1
        # A run of the next minute that is still waiting would be taken up by the next `thaw up`, in the place of the one by new data.
        change_schedule(project, EVERY_MINUTE, NIGHTLY)
        replace(project, prefect=f"{up.addresses()['prefect']}/api").run("thaw", "schedule")

    with living(project, "--settle", "2") as up:
        with serving(project) as address, Client(address, a_picture(project)) as client:
            wait_for(lambda: client.answered_by(1), up.said)
            second = more_images(project, up)
            assert champion(project) == 2, up.said()
            wait_for(lambda: client.answered_by(2), up.said)

            poisoned = shuffle_labels(project, up)
            assert champion(project) == 2, "the gates refuse a model that learnt from shuffled labels"

            assert drift_of(project, "unseen") is False
            assert drift_of(project, blurred(project)) is True

            project.run("thaw", "rollback")
            wait_for(lambda: client.answered_by(1), up.said)
        assert client.failures == [] and set(client.versions) == {1, 2}

        history = project.json("models", "log")["history"]
        assert [(one["kind"], one["version"], one["former"]) for one in history] == [
            ("promote", 1, None), ("promote", 2, 1), ("refuse", 3, 2), ("rollback", 1, 2),
        ]  # fmt: skip
        refused = {gate["gate"]: gate["verdict"] for gate in history[2]["gates"]}
        assert refused["suspect labels"] == "fail", history[2]
        runs = {run["id"] for run in (scheduled, second, poisoned)}
        assert {up.parent_of(one["flow_run"]) for one in history[:3]} == runs and history[3]["flow_run"]

    # The servers had the project's own stores: all that they were told is there without them.
    assert champion(project) == 1
    shown = project.run("thaw", "models", "log")
    assert "refuse 3" in shown and "rollback 1" in shown


def champion(project: Project) -> int:
    (found,) = [one["version"] for one in project.json("models")["versions"] if "champion" in one["aliases"]]
    return int(found)


def change_schedule(project: Project, old: str, new: str) -> None:
    """Edit when the deployment `transfer` runs."""
    deployments = project.root / "prefect.yaml"
    text = deployments.read_text()
    assert old in text
    deployments.write_text(text.replace(old, new))


@contextmanager
def serving(project: Project) -> Iterator[str]:
    """`thaw serve` beside it all; its address."""
    log = project.root.parent / "serve.txt"
    with log.open("w") as said:
        process = subprocess.Popen(
            ["thaw", "serve", "--port", "0", "--engine", "torch", "--poll-s", "0.5"],
            cwd=project.root, env=project.environment() | {"PYTHONUNBUFFERED": "1"}, stdout=said, stderr=said,
        )  # fmt: skip
    try:
        found = wait_for(lambda: re.search(r"serving on (\S+),", log.read_text()), log.read_text)
        wait_for(lambda: is_ready(found[1]), log.read_text)
        yield str(found[1])
    finally:
        process.terminate()
        assert process.wait(60) == 0, log.read_text()


def is_ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/ready").status_code == 200
    except httpx.HTTPError:
        return False


def a_picture(project: Project) -> bytes:
    return next((project.root / "unseen/7").iterdir()).read_bytes()


def more_images(project: Project, up: Living) -> dict[str, str]:
    """Ten labelled images more a class; the run that they start."""
    shutil.copytree(project.root / "later", project.root / "photos", dirs_exist_ok=True)
    run = up.run_by_new_data(1)
    assert run["parameters"]["why"] == "the source has 500 files, 100 more than before"
    log = (project.root / ".thaw/logs/extract.log").read_text()
    assert "500 examples: 400 with features already, 100 forward passes to do" in log
    return dict(run)


def shuffle_labels(project: Project, up: Living) -> dict[str, str]:
    """Every image into a folder by chance; the run that this starts."""
    files = sorted((project.root / "photos").rglob("*.png"))
    chance = random.Random(0)
    for file in files:
        file.rename(project.root / "photos" / chance.choice("0123456789") / f"{file.parent.name}-{file.name}")
    return dict(up.run_by_new_data(2))


def blurred(project: Project) -> str:
    """The images that nobody has seen, out of focus."""
    for file in sorted((project.root / "unseen").rglob("*.png")):
        target = project.root / "blurred" / f"{file.parent.name}-{file.name}"
        target.parent.mkdir(exist_ok=True)
        with Image.open(file) as image:
            image.filter(ImageFilter.GaussianBlur(1.5)).save(target)
    return "blurred"


def drift_of(project: Project, folder: str) -> bool:
    """What `thaw watch` says of a folder of new images."""
    process = project.start("thaw", "watch", folder)
    output, _ = process.communicate(timeout=600)
    assert process.returncode in (0, DRIFT_FOUND), output
    return process.returncode == DRIFT_FOUND
