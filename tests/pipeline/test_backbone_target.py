"""`make backbone`, `make text-backbone` and `make sound-backbone`: DVC knows their pipelines only while they run, however they end."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from project import ROOT

FOLDERS = {
    "backbone": "data/pretrain",
    "text-backbone": "data/pretrain/texts",
    "sound-backbone": "data/pretrain/sounds",
}
TARGETS = pytest.mark.parametrize("target", FOLDERS)


def start(folder: Path, dvc: str, target: str) -> "subprocess.Popen[bytes]":
    """`make TARGET` where everything is installed; dvc: what stands in the place of DVC's program."""
    (folder / FOLDERS[target]).mkdir(parents=True)
    (folder / ".venv/bin").mkdir(parents=True)
    for name in ("Makefile", "requirements.lock", "pyproject.toml", f"{FOLDERS[target]}/pipeline.yaml"):
        shutil.copy(ROOT / name, folder / name)
    program = folder / ".venv/bin/dvc"
    program.write_text(f"#!/bin/sh\ntest -f {FOLDERS[target]}/dvc.yaml && touch running\n{dvc}\n")
    program.chmod(0o755)
    (folder / ".venv/.installed").touch()
    return subprocess.Popen(["make", target], cwd=folder, start_new_session=True)


@TARGETS
@pytest.mark.parametrize("dvc", ["exit 0", "exit 1"])
def test_it_ends_as_dvc_ends(tmp_path: Path, dvc: str, target: str) -> None:
    assert (start(tmp_path, dvc, target).wait(30) == 0) == (dvc == "exit 0")
    assert (tmp_path / "running").exists() and not (tmp_path / FOLDERS[target] / "dvc.yaml").exists()


@TARGETS
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_nothing(tmp_path: Path, number: signal.Signals, target: str) -> None:
    make = start(tmp_path, "exec sleep 30", target)
    while not (tmp_path / "running").exists():
        assert make.poll() is None
        time.sleep(0.05)
    os.killpg(make.pid, number)
    assert make.wait(30) != 0
    assert not (tmp_path / FOLDERS[target] / "dvc.yaml").exists()
