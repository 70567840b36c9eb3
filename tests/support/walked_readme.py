"""Runs what README.md shows, line by line, in a project's root: `python walked_readme.py`. Prints what it does, and stops at the first line that fails.

`thaw` commands run in this one process, servers and other programs in their own. Nothing of a line is changed but what its reader has to fill in.
"""

import csv
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from documented import README, blocks, filled_in
from object_store import BUCKET, object_store
from PIL import Image
from typer.testing import CliRunner

from flows.cli.app import app
from flows.daemon.services import free_port
from flows.processes import orphan_guard
from thaw.backbones.architectures import build_seeded

CLASSES = {"ants": 60, "bees": 200, "something_else": 130}
"""Mean grey of the photos of each class."""
STANDS_FOR = {
    "s3://bucket/photos": f"s3://{BUCKET}/photos",
    "https://hooks.slack.com/services/...": "json://127.0.0.1:9/hook",
    "FOLDER/own.pth": "own.pth",
    "thaw-digits": "thaw-own",
}
SMALL = (
    "backbone.weights=data/pretrain/small.safetensors", "dataset.splits.test=0.3", "strategy.minutes=0", "head.l2=[0.001]",
    "evaluate.baselines=[majority]", "evaluate.bootstrap=50", "finetune.epochs=1", "compare.seeds=2", "compare.minutes=0.2",
)  # fmt: skip
"""What makes the own pictures' settings small enough for a test."""
READY = {"thaw up": "up: flows run", "thaw serve": "serving on"}
"""Servers, and what they say once they are up."""
PORT = 8080
MAY_END_WITH = {"thaw watch": (0, 5)}
"""5: drift was found."""


def main() -> None:
    """The project is as it was cloned, and its reader has photos."""
    if free_port(PORT) != PORT:
        raise SystemExit(f"port {PORT} is taken, and it is the one that the README asks `thaw serve` on")
    draw_photos()
    lines = [line for block in blocks(README) for line in block.splitlines()]
    shell = [[line for line in filled_in(block, STANDS_FOR).splitlines() if line] for block in blocks(README)]
    with object_store():
        bucket = boto3.client("s3")
        for photo in sorted(Path("new_photos").iterdir())[:3]:
            bucket.upload_file(str(photo), BUCKET, f"photos/{photo.name}")
        for block in shell:
            if not any("hymenoptera" in line for line in block):  # tests/pipeline/test_real.py has those photographs
                walk(block, last=lines)
        for python in blocks(README, "python"):
            say("python")
            run([sys.executable, "-c", filled_in(python, STANDS_FOR)])


def walk(block: list[str], last: list[str]) -> None:
    """The lines of one block; a server runs until the block ends, and only where the README names it for the last time."""
    with servers() as start:
        for line in block:
            last.pop(last.index(next(one for one in last if filled_in(one, STANDS_FOR) == line)))
            words = shlex.split(line, comments=True)
            command = shlex.join(words)
            say(command)
            BEFORE.get(command, lambda: None)()
            if command in READY:
                if not any(shlex.join(shlex.split(one, comments=True)) == command for one in last if one):
                    start(words, READY[command])
            elif words[0] == "thaw":
                thaw(*words[1:])
            elif words[0] == "make":
                run(["make", "--dry-run", *words[1:]])  # this is a part of what they do
            elif words[0] != "source":
                run(words)
            AFTER.get(command, lambda: None)()


def thaw(*words: str) -> None:
    """A command in this process, which leaves the environment as it was."""
    before = dict(os.environ)
    found = CliRunner().invoke(app, words)
    os.environ.clear()
    os.environ.update(before)
    allowed = MAY_END_WITH.get(f"thaw {words[0]}", (0,))
    if found.exit_code not in allowed:
        raise SystemExit(
            f"{found.output}\n`thaw {shlex.join(words)}` ended with {found.exit_code}: {found.exception!r}"
        )


def run(words: list[str]) -> None:
    """A program of its own."""
    found = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    if found.returncode:
        raise SystemExit(f"{found.stdout}{found.stderr}\n`{shlex.join(words)}` ended with {found.returncode}")


@contextmanager
def servers() -> Iterator[Callable[[list[str], str], None]]:
    """Yields what starts a server and waits until it says that it is ready; all of them end well with Ctrl-C."""
    running: list[tuple[str, subprocess.Popen[bytes], Path]] = []

    def start(words: list[str], ready: str) -> None:
        log = Path(f"{words[1]}.txt")
        with log.open("wb") as said:
            command = [sys.executable, "-u", "-m", "flows.cli", *words[1:]]
            process = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)
        orphan_guard.hold(process.pid)  # also where the test gives up on this process
        running.append((shlex.join(words), process, log))
        deadline = time.monotonic() + 300
        while ready not in log.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"`{shlex.join(words)}` did not come up:\n{log.read_text()}")
            time.sleep(0.2)

    try:
        yield start
    finally:
        for _, process, _ in running:
            process.send_signal(signal.SIGINT)
    for command, process, log in running:
        if code := process.wait(120):
            raise SystemExit(f"`{command}` ended with {code}:\n{log.read_text()}")


def say(line: str) -> None:
    sys.stderr.write(f"$ {line}\n")


def draw_photos() -> None:
    """Photos of each class, more that nobody has labelled, and some by the names that the README gives them."""
    noise = np.random.default_rng(0)

    def draw(path: Path, grey: float) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.clip(noise.normal(grey, 40, (24, 24, 3)), 0, 255).astype(np.uint8)).save(path)

    for name, grey in CLASSES.items():
        for number in range(60):
            draw(Path(f"photos/{name}/{number}.jpg"), grey)
    for number in range(4):  # wrong labels, for who reviews them
        draw(Path(f"photos/ants/wrong-{number}.jpg"), CLASSES["bees"])
    for number in range(40):
        draw(Path(f"new_photos/{number}.jpg"), list(CLASSES.values())[number % 3])
    for name in ("a.jpg", "b.png", "picture.png"):
        draw(Path(name), 60)
    shutil.copy("photos/ants/0.jpg", "photo.jpg")
    paths = [f"new_photos/{number}.jpg" for number in range(5)]
    pq.write_table(pa.table({"path": paths}), "listing.parquet")


def lay_weights() -> None:
    """Files where the downloads would be put, and one of the reader's own."""
    for name, architecture in (
        ("ResNet18_Weights.IMAGENET1K_V1", "resnet18"),
        ("MobileNet_V2_Weights.IMAGENET1K_V2", "mobilenet_v2"),
    ):
        Path("data/weights").mkdir(exist_ok=True)
        torch.save(build_seeded(architecture, 1000, 1).state_dict(), f"data/weights/{name}.pth")
    for name in ("own.pth", "resnet18.pth"):
        torch.save(build_seeded("resnet18", 1000, 2).state_dict(), name)


def choose_labels() -> None:
    """What the page of `thaw review` saves: another label for the first row."""
    with Path("data/review/review.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    rows[0]["corrected"] = next(name for name in CLASSES if name != rows[0]["label"])
    with Path("review.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def wait_until_ready() -> None:
    run(
        [
            "curl",
            "--silent",
            "--fail",
            "--retry",
            "60",
            "--retry-delay",
            "1",
            "--retry-all-errors",
            f"http://127.0.0.1:{PORT}/ready",
        ]
    )


def commit() -> None:
    """A version can be made again where what it was made from is in Git."""
    run(["git", "add", "--all"])
    run(["git", "commit", "--quiet", "--allow-empty", "--message", "What it is made from"])


BEFORE: dict[str, Callable[[], None]] = {
    "thaw run": commit,
    "thaw rank --backbones resnet18,mobilenet_v2,resnet18.random,own.pth": lay_weights,
    "thaw review --apply review.csv --dry-run": choose_labels,
    "curl -F images=@a.jpg -F images=@b.png 'http://127.0.0.1:8080/predict?nearest=3'": wait_until_ready,
}
"""What its reader has done, or waited for, before a line."""


def make_small() -> None:
    thaw("config", "set", *SMALL)


def forget_ray() -> None:
    thaw("config", "set", "extract.engine=auto", "extract.ray.address=null", "extract.store=null")


AFTER: dict[str, Callable[[], None]] = {
    "cp examples/own_folder.yaml params.yaml": make_small,
    "thaw config set extract.engine=ray extract.ray.address=ray://head:10001 extract.store=s3://bucket/features": forget_ray,
}
"""What a test does after a line that a reader does not."""

if __name__ == "__main__":
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    main()
