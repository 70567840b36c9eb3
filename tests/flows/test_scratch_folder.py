"""A folder for one command: gone afterwards, or with the next one."""

import subprocess
import sys
from pathlib import Path

from flows.scratch_folder import scratch_folder


def test_it_is_empty_and_gone_afterwards(tmp_path: Path) -> None:
    with scratch_folder(tmp_path, "reproduce") as folder:
        (folder / "deep").mkdir()
        assert folder.parent == tmp_path / ".thaw" and folder.name.startswith("reproduce-")
    assert not list((tmp_path / ".thaw").iterdir())


def test_what_a_killed_one_has_left_goes_and_what_another_uses_stays(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    state = tmp_path / ".thaw"
    for name in (f"reproduce-{dead.pid}-x", "reproduce-1-x", "reproduce-notes-x", f"other-{dead.pid}-x"):
        (state / name).mkdir(parents=True)
    with scratch_folder(tmp_path, "reproduce"):
        assert not (state / f"reproduce-{dead.pid}-x").exists()
    assert {one.name for one in state.iterdir()} == {"reproduce-1-x", "reproduce-notes-x", f"other-{dead.pid}-x"}
