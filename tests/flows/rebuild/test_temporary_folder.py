"""A folder for one command: gone afterwards, or with the next one."""

import subprocess
import sys
from pathlib import Path

from flows.rebuild.temporary_folder import scratch_folder

KILLED = """
import os, signal, sys
from pathlib import Path
from flows.rebuild.temporary_folder import scratch_folder
with scratch_folder(Path(sys.argv[1]), "reproduce") as folder:
    (folder / "half").write_text("x")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_is_empty_and_gone_afterwards(tmp_path: Path) -> None:
    with scratch_folder(tmp_path, "reproduce") as folder:
        assert not list(folder.iterdir())
        assert folder.parent.parent == tmp_path / ".thaw" and folder.parent.name.startswith("reproduce-")
    assert not list((tmp_path / ".thaw").iterdir())


def test_what_a_killed_one_has_left_goes_and_what_another_uses_stays(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    (left,) = (tmp_path / ".thaw").iterdir()
    (tmp_path / ".thaw/reproduce-notes").mkdir()
    with scratch_folder(tmp_path, "other") as other, scratch_folder(tmp_path, "reproduce") as first:
        assert not left.exists()
        with scratch_folder(tmp_path, "reproduce") as second:
            assert first.is_dir() and other.is_dir() and second.is_dir()
    assert [one.name for one in (tmp_path / ".thaw").iterdir()] == ["reproduce-notes"]
