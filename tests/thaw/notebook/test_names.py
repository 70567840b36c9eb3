"""`import thaw`: it costs nothing, and offers what the stub says."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import thaw
from thaw.notebook.names import NAMES

STUB = Path(thaw.__file__).with_suffix(".pyi")


def test_the_import_loads_nothing_and_errors_and_help_name_what_there_is() -> None:
    code = "import sys, thaw; print(*sorted(n for n in sys.modules if n.split('.')[0] in ('thaw', 'torch', 'pandas', 'numpy')))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=STUB.parents[1], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["thaw"]
    assert set(NAMES) <= set(dir(thaw))
    with pytest.raises(AttributeError, match="it has Advised"):
        _ = thaw.train  # type: ignore[attr-defined]


def test_the_stub_says_what_is_there() -> None:
    stated = {}
    for statement in ast.parse(STUB.read_text()).body:
        if isinstance(statement, ast.ImportFrom):
            stated |= {alias.asname: statement.module for alias in statement.names}
    assert stated == {name: f"thaw.notebook.{module}" for name, module in NAMES.items()}
    assert all(getattr(thaw, name).__module__ == module for name, module in stated.items())
