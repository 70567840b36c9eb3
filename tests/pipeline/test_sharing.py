"""A second machine carries on where the first stopped, and rebuilds its champion: all that docs/sharing.md shows, as it stands.

Git, a DVC remote and an MLflow server are all that both share.
"""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from documented import DOCS, block_with, blocks, filled_in
from PIL import Image
from project import CHEAP, Project, clone
from started import serving

from flows.daemon.services import HOST, Service, free_port

pytestmark = pytest.mark.slow

PAGE = DOCS / "sharing.md"
REMOTE, PHOTOS, SERVER, ADDRESS, SECOND, STORE, REBUILD = blocks(PAGE)
CLASSES = {"dark": 60, "light and bright": 200}


@dataclass(frozen=True)
class Machine(Project):
    """A clone of the project that knows the MLflow server."""

    server: str = ""

    def environment(self) -> dict[str, str]:
        return super().environment() | {"MLFLOW_TRACKING_URI": self.server}

    def type(self, commands: str, cwd: Path | None = None) -> str:
        """Type what a page shows into a shell; it stops at the first line that fails."""
        found = subprocess.run(
            ["bash", "-c", f"set -euo pipefail\n{commands}"], cwd=cwd or self.root, env=self.environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900, check=False,
        )  # fmt: skip
        assert found.returncode == 0, found.stdout
        return found.stdout


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The MLflow server, by the line of the page."""
    port = free_port(0)
    program, *options = shlex.split(filled_in(SERVER, {"--port 5000": f"--port {port} --workers 1"}))
    command, address = (str(Path(sys.executable).parent / program), *options), f"http://{HOST}:{port}"
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with serving(Service("mlflow", command, address, f"{address}/health", quiet), tmp_path):
        yield address


def draw_photos(folder: Path) -> None:
    noise = np.random.default_rng(0)
    for split, count in (("train", 6), ("test", 15)):
        for name, grey in CLASSES.items():
            for number in range(count):
                pixels = np.clip(noise.normal(grey, 60, (16, 16, 3)), 0, 255).astype(np.uint8)
                path = folder / split / name / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(path)


def test_a_second_machine_has_nothing_to_do_and_rebuilds_the_champion(
    server: str, prefect: str, tmp_path: Path
) -> None:
    settings = (*CHEAP, "dataset.source=photos", "head.l2=[0.001]")
    first = Machine(clone(tmp_path / "first", settings).root, prefect, server)
    draw_photos(first.root / "photos")
    first.run("git", "init", "--quiet", "--bare", str(tmp_path / "origin.git"))
    first.run("git", "remote", "add", "origin", str(tmp_path / "origin.git"))
    first.run("git", "push", "--quiet", "--set-upstream", "origin", "HEAD")
    first.type(PHOTOS)
    shutil.rmtree(first.root / ".dvc/cache")

    second = Machine(tmp_path / "second", prefect, server)
    given = {
        "ADDRESS project": f"{tmp_path}/origin.git second", "cd project": "cd second", "make install": "true",
        "source .venv/bin/activate": "true", "http://127.0.0.1:5000": server,
    }  # fmt: skip
    assert ADDRESS in SECOND
    said = second.type(filled_in(SECOND, given), tmp_path)
    assert "Nothing to do: every stage is up to date." in said and "version 1 is the champion already" in said
    assert second.run("git", "status", "--porcelain") == ""

    traced = second.json("trace")
    assert traced["commit"] == {"id": first.run("git", "rev-parse", "HEAD~1").strip(), "dirty": False, "changed": []}
    assert len(traced["training"]) == 10, "five a class, of six"
    before = second.json("models")["versions"]
    said = second.type(filled_in(REBUILD, {"reproduce 3": "reproduce 1"}))
    assert "Everything that it takes is there." in said and "It agrees, within 0.01." in said
    assert "photos: the DVC remote `storage`" in said and "data/pretrain: Git" in said.replace("/small.safetensors", "")
    assert second.json("models")["versions"] == before and not list((second.root / ".thaw").glob("reproduce-*"))
    shutil.rmtree(second.root / "rebuilt")
    assert second.run("git", "status", "--porcelain") == "", "nothing of it is left in the tree"

    second.type(REMOTE + STORE)
    changed = (second.root / ".dvc/config").read_text() + (second.root / "params.yaml").read_text()
    assert all(word in changed for word in ("s3://bucket/thaw", "https://s3.example.org", "s3://bucket/features"))
    second.run("git", "checkout", "--quiet", "--", ".")
    refused_where_photos_are_gone(second)


def test_the_page_has_no_other_blocks() -> None:
    lines = [line for block in (REMOTE, PHOTOS, SERVER, SECOND, STORE, REBUILD) for line in block.splitlines()]
    assert ADDRESS.strip() in lines, "shown by itself, and again for the second machine"
    assert block_with(PAGE, "git clone") == SECOND and block_with(PAGE, "thaw reproduce") == REBUILD


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
