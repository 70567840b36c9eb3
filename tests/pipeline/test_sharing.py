"""A second machine carries on where the first stopped, and rebuilds its champion: Git, a DVC remote and an MLflow server are all that both share."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from project import CHEAP, Project, clone
from started import mlflow_server, serving

from flows.servers import HOST, free_port

pytestmark = pytest.mark.slow

CLASSES = {"dark": 60, "light and bright": 200}


@dataclass(frozen=True)
class Machine(Project):
    """A clone of the project that knows the MLflow server."""

    server: str

    def environment(self) -> dict[str, str]:
        return super().environment() | {"MLFLOW_TRACKING_URI": self.server}

    def git(self, *arguments: str) -> str:
        return self.run("git", "-c", "user.name=x", "-c", "user.email=x@example.org", *arguments)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    port = free_port(0)
    with serving(mlflow_server(tmp_path, port), tmp_path):
        yield f"http://{HOST}:{port}"


def draw_photos(folder: Path) -> None:
    noise = np.random.default_rng(0)
    for split, count in (("train", 6), ("test", 15)):
        for name, grey in CLASSES.items():
            for number in range(count):
                pixels = np.clip(noise.normal(grey, 60, (16, 16, 3)), 0, 255).astype(np.uint8)
                path = folder / split / name / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(path)


def versions_of(machine: Machine) -> object:
    return machine.json("models")["versions"]


def test_a_second_machine_has_nothing_to_do_and_rebuilds_the_champion(server: str, tmp_path: Path) -> None:
    first = Machine(clone(tmp_path / "first", (*CHEAP, "dataset.source=photos", "head.l2=[0.001]")).root, server)
    draw_photos(first.root / "photos")
    first.run("dvc", "add", "photos")
    first.git("add", "--all")
    first.git("commit", "--quiet", "--message", "Photos")
    first.run("thaw", "run")
    first.git("add", "--all")
    first.git("commit", "--quiet", "--message", "What came out")
    first.run("dvc", "push")
    shutil.rmtree(first.root / ".dvc/cache")

    second = Machine(tmp_path / "second", server)
    first.git("clone", "--quiet", str(first.root), str(second.root))
    second.run("dvc", "pull")
    done = second.json("run")
    assert done["nothing_to_do"] and {stage["outcome"] for stage in done["stages"]} == {"up to date"}
    assert done["promotion"] == "version 1 is the champion already"
    assert second.git("status", "--porcelain") == ""

    traced = second.json("trace")
    assert traced["commit"] == {"id": first.git("rev-parse", "HEAD~1").strip(), "dirty": False, "changed": []}
    assert len(traced["training"]) == 10, "five a class, of six"
    before = versions_of(second)
    found = second.json("reproduce", "champion", "--keep", "rebuilt")
    assert found["agrees"] and found["agreement"]["rows"] == 30 and found["outputs"]["data/manifest.parquet"]
    assert [one["origin"] for one in found["plan"]["supplies"]] == ["the DVC remote `storage`", "Git"]
    assert versions_of(second) == before and not list((second.root / ".thaw").glob("reproduce-*"))
    shutil.rmtree(second.root / "rebuilt")
    assert second.git("status", "--porcelain") == "", "nothing of it is left in the tree"
    refused_where_photos_are_gone(second)


def refused_where_photos_are_gone(machine: Machine) -> None:
    """Nobody keeps the photos any more, one is gone and one is another; then they lie elsewhere, and all is well."""
    machine.run("dvc", "remote", "remove", "storage")
    shutil.rmtree(machine.root / ".dvc/cache")
    photos = machine.root / "photos"
    shutil.copytree(photos, machine.root / "mine")  # DVC's own are links, and not to be written to
    shutil.rmtree(photos)
    (machine.root / "mine").rename(photos)
    for file in photos.rglob("*.png"):
        file.chmod(0o644)
    gone, other = photos / "test/dark/3.png", photos / "train/dark/1.png"
    gone.rename(machine.root / "kept.png")
    content = other.read_bytes()
    other.write_bytes(b"something else")
    said = machine.run("thaw", "reproduce", "1", code=1)
    assert "1 gone: test/dark/3.png; 1 changed: train/dark/1.png" in said and "dvc add photos" in said
    (machine.root / "kept.png").rename(photos / "moved.png")
    other.write_bytes(content)
    assert "where each has the digest that was recorded" in machine.run("thaw", "reproduce", "1", "--dry-run")
