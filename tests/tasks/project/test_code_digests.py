"""Digests of the stages' code: what is in them, and what changes them."""

import shutil
import subprocess
import sys
from pathlib import Path

from tasks.project.code_digests import STAGES, code_digests, code_files
from tasks.project.code_record import changed_code


def test_the_code_of_a_stage_is_what_it_imports_and_what_lies_beside_it() -> None:
    evaluate = {file.as_posix() for file in code_files("evaluate")}
    assert {
        "tasks/stages/evaluate/__main__.py",
        "thaw/evaluation/report.html.j2",
        "thaw/heads/neighbours.py",
    } <= evaluate
    assert "tasks/registry/pyfunc_model.py" in {file.as_posix() for file in code_files("track")}
    assert not [file for file in code_files("head") if file.is_relative_to("thaw/params/sections")]
    assert [file for file in code_files("settings") if file.is_relative_to("thaw/params/sections")]
    assert "thaw/__init__.py" not in evaluate, "another version of Thaw alone makes no stage run again"


def elsewhere(root: Path) -> dict[str, str]:
    """The digests of the code below `root`, by a process of its own."""
    program = "from tasks.project.code_digests import *; print(code_digests())"
    done = subprocess.run([sys.executable, "-P", "-c", program], cwd=root, env={"PYTHONPATH": str(root)}, check=True, capture_output=True, text=True)  # fmt: skip  # noqa: E501
    return dict(item.split(": ") for item in done.stdout.strip("{}\n").replace("'", "").split(", "))


def test_only_the_code_of_a_stage_changes_its_digest_wherever_it_lies(tmp_path: Path) -> None:
    for package in ("thaw", "tasks"):
        shutil.copytree(package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    before = elsewhere(tmp_path)
    assert before == code_digests() and tuple(before) == STAGES
    head = tmp_path / "tasks/stages/head.py"
    head.write_text(head.read_text() + "\n")
    assert changed_code(before, elsewhere(tmp_path)) == ("head",)
    (tmp_path / "thaw/__init__.py").write_text('"""Thaw."""\n\n__version__ = "9.9.9"\n')
    assert changed_code(before, elsewhere(tmp_path)) == ("head",)
