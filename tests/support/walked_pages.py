"""Runs the commands of the README and of the pages by topic, line by line, in a project's root: `python walked_pages.py`.

It prints each line with the seconds that the line took, and stops at the first line that fails.
`thaw` commands run in this one process, servers and other programs in their own. A line is changed only where its reader has to fill in something.
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
from documented import WALKED, filled_in, uses_the_library, walked_blocks
from object_store import BUCKET, object_store
from PIL import Image
from typer.testing import CliRunner

from flows.cli.app import app
from flows.processes import orphan_guard
from flows.processes.ports import free_port
from thaw.backbones.architectures import build_seeded

CLASSES = {"ants": 60, "bees": 200, "something_else": 130}
"""Mean grey of the photos of each class."""
PHOTOS = 36
"""Of each class."""
STANDS_FOR = {
    "s3://bucket/photos": f"s3://{BUCKET}/photos",
    "https://hooks.slack.com/services/...": "json://127.0.0.1:9/hook",
    "FOLDER/own.pth": "own.pth",
    "thaw-digits": "thaw-own",
    "thaw rank --minutes 10": "thaw rank --minutes 0.1",
}
SMALL = (
    "backbone.weights=data/pretrain/small.safetensors", "dataset.splits.test=0.3", "strategy.minutes=0", "head.l2=[0.001]",
    "evaluate.baselines=[majority]", "statistics.bootstrap=50", "finetune.epochs=1", "compare.seeds=2", "compare.minutes=0.1",
    "promotion.min_rows=10", "head.folds=3", "head.epochs=20",
)  # fmt: skip
"""What makes the own pictures' settings small enough for a test."""
READY = {"thaw up": "up: schedules, new data", "thaw serve": "serving on"}
"""Servers, and what they say once they are up."""
PORT = 8080
MAY_END_WITH = {"thaw watch": (0, 5), "thaw promote": (0, 4)}
"""5: drift was found. 4: a gate refused."""


def main() -> None:
    """The project is as it was cloned, and its reader has photos."""
    if free_port(PORT) != PORT:
        raise SystemExit(f"port {PORT} is taken, and the pages ask `thaw serve` there")
    draw_photos()
    lay_weights()
    with object_store():
        bucket = boto3.client("s3")
        for photo in sorted(Path("new_photos").iterdir())[:3]:
            bucket.upload_file(str(photo), BUCKET, f"photos/{photo.name}")
        later = [line for page in WALKED for block in walked_blocks(page) for line in lines_of(block)]
        for page in WALKED:
            sys.stderr.write(f"-- {page.name}\n")
            for block in walked_blocks(page):
                walk(lines_of(block), later)
            for python in walked_blocks(page, "python"):
                if not uses_the_library(python):
                    with timed("python"):
                        run([sys.executable, "-c", filled_in(python, STANDS_FOR)])


def lines_of(block: str) -> list[str]:
    """The commands of a block, filled in, without comments and empty lines."""
    return [line for line in filled_in(block, STANDS_FOR).splitlines() if line.partition("#")[0].strip()]


def walk(block: list[str], later: list[str]) -> None:
    """Run the lines of one block. later: the lines that are not run yet, this block's included.

    A server runs until the block ends, and only where the pages name it for the last time.
    """
    with servers() as start:
        for line in block:
            later.remove(line)
            words = shlex.split(line, comments=True)
            command = shlex.join(words)
            with timed(command):
                BEFORE.get(command, lambda: None)()
                if command not in READY:
                    run_line(words)
                elif command not in (shlex.join(shlex.split(other, comments=True)) for other in later):
                    start(words, READY[command])
                AFTER.get(command, lambda: None)()


def run_line(words: list[str]) -> None:
    """One command that ends; of `make` only what it would do is looked at, because this test is a part of it."""
    if words[0] == "thaw":
        thaw(*words[1:])
    elif words[0] == "make":
        run(["make", "--dry-run", *words[1:]])
    elif words[0] != "source":
        run(words)


@contextmanager
def timed(command: str) -> Iterator[None]:
    """Print a command, then the seconds that it took."""
    sys.stderr.write(f"$ {command}\n")
    before = time.monotonic()
    yield
    sys.stderr.write(f"  {time.monotonic() - before:.1f} s\n")


def thaw(*words: str) -> None:
    """A command in this process, which leaves the environment as it was."""
    before = dict(os.environ)
    result = CliRunner().invoke(app, words)
    os.environ.clear()
    os.environ.update(before)
    allowed = MAY_END_WITH.get(f"thaw {words[0]}", (0,))
    if result.exit_code not in allowed:
        raise SystemExit(
            f"{result.output}\n`thaw {shlex.join(words)}` ended with {result.exit_code}: {result.exception!r}"
        )


def run(words: list[str]) -> None:
    """A program of its own."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise SystemExit(f"{done.stdout}{done.stderr}\n`{shlex.join(words)}` ended with {done.returncode}")


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


def draw_photos() -> None:
    """Photos of each class, more that nobody has labelled, and some by the names that the README gives them."""
    noise = np.random.default_rng(0)

    def draw(path: Path, grey: float) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.clip(noise.normal(grey, 40, (24, 24, 3)), 0, 255).astype(np.uint8)).save(path)

    for name, grey in CLASSES.items():
        for number in range(PHOTOS):
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
    """Files where the downloads would be put, and a file of the reader's own."""
    for name, architecture in (
        ("ResNet18_Weights.IMAGENET1K_V1", "resnet18"),
        ("MobileNet_V2_Weights.IMAGENET1K_V2", "mobilenet_v2"),
    ):
        Path("data/weights").mkdir(parents=True, exist_ok=True)
        torch.save(build_seeded(architecture, 1000, 1).state_dict(), f"data/weights/{name}.pth")
    torch.save(build_seeded("resnet18", 1000, 2).state_dict(), "own.pth")


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
    "thaw review --apply review.csv --dry-run": choose_labels,
    "curl -F images=@a.jpg -F images=@b.png 'http://127.0.0.1:8080/predict?nearest=3'": wait_until_ready,
}
"""What the reader has done, or waited for, before a line."""


def settle(*changes: str) -> Callable[[], None]:
    return lambda: thaw("config", "set", *changes)


AFTER: dict[str, Callable[[], None]] = {
    "cp examples/own_folder.yaml params.yaml": settle(*SMALL),
    "thaw config set backbone.weights=ResNet50_Weights.IMAGENET1K_V2": settle(*SMALL),
    "thaw config set extract.precision=auto": settle("extract.precision=float32"),
    "thaw config set backbone.decoding=scaled": settle("backbone.decoding=exact"),
    "thaw config set extract.engine=ray extract.ray.address=ray://head:10001 extract.store=s3://bucket/features": settle(
        "extract.engine=auto", "extract.ray.address=null", "extract.store=null"
    ),
}
"""Settings that a test takes back, or that make it small."""

if __name__ == "__main__":
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    main()
