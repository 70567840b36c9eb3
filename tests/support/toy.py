"""A toy DVC project: five stages that do next to nothing, in a Git repository of its own."""

import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from hashlib import md5
from pathlib import Path

STAGES = """\
stages:
  first:
    cmd: python stage.py first
    deps: [stage.py, input.txt]
    outs: [{first.txt: {persist: true}}]
  left:
    cmd: python stage.py left
    deps: [first.txt]
    outs: [{left.txt: {persist: true}}]
  right:
    cmd: python stage.py right
    deps: [first.txt]
    outs: [{right.txt: {persist: true}}]
  last:
    cmd: python stage.py last
    deps: [left.txt, right.txt]
    outs: [{last.txt: {persist: true}}]
"""
STAGE = """\
import pathlib, sys, time
name = sys.argv[1]
order = pathlib.Path(f"{name}.order")
what = order.read_text().strip() if order.exists() else ""
print(f"{name} says hello", flush=True)
with open("ran.log", "a") as log:
    log.write(f"{name}\\n")
if what == "fail":
    sys.exit("the input is bad")
if what == "pass-later":
    order.unlink()
    print("the server did not answer", file=sys.stderr)
    sys.exit(75)
if what == "hang":
    time.sleep(600)
while what == "wait" and not pathlib.Path(f"{name}.go").exists():
    time.sleep(0.1)
pathlib.Path(f"{name}.txt").write_text(pathlib.Path("input.txt").read_text() + name)
"""


def build_toy(root: Path) -> Path:
    """Make the project, with parameters that promote nothing."""
    return Path(shutil.copytree(_initialised().name, root, dirs_exist_ok=True))


@cache
def _initialised() -> "tempfile.TemporaryDirectory[str]":
    """The project as `git init` and `dvc init` leave it, which takes a second; deleted with this process."""
    folder = tempfile.TemporaryDirectory(prefix="toy-")
    root = Path(folder.name)
    for name, text in {
        "dvc.yaml": STAGES,
        "stage.py": STAGE,
        "input.txt": "1",
        "params.yaml": "dataset: {source: .}\nbackbone: {weights: input.txt}\npromotion: {automatic: false}\n",
    }.items():
        (root / name).write_text(text)
    for command in (["git", "init", "--quiet"], ["dvc", "init", "--quiet"]):
        subprocess.run(command, cwd=root, check=True, env=environment())
    return folder


def environment() -> dict[str, str]:
    """This process's environment with the programs of this Python first."""
    programs = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}


def is_recorded(root: Path, output: bytes) -> bool:
    """Whether DVC has recorded a stage with that output, some time after the stage has written it."""
    lock = root / "dvc.lock"
    return lock.exists() and md5(output, usedforsecurity=False).hexdigest() in lock.read_text()


def ran(root: Path) -> list[str]:
    """The stages that ran, in order."""
    log = root / "ran.log"
    return log.read_text().split() if log.exists() else []
