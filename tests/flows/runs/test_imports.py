"""A run that has nothing to do loads nothing that computes: PyTorch and all that trains take seconds."""

import subprocess
import sys

HEAVY = ("torch", "torchvision", "sklearn", "scipy.stats", "mlflow", "matplotlib", "pandas")


def test_the_flow_loads_nothing_that_computes() -> None:
    code = f"import sys, flows.runs.transfer; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == []
