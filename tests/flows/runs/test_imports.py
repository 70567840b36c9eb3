"""A run that has nothing to do loads nothing that computes, and `thaw schedule` neither, which loads all flows: PyTorch and all that trains take seconds."""

import subprocess
import sys

HEAVY = ("torch", "torchvision", "sklearn", "scipy.stats", "mlflow", "matplotlib", "pandas")


def test_no_flow_loads_what_computes() -> None:
    flows = ", ".join(f"flows.runs.{name}" for name in ("transfer", "promote", "score", "watch"))
    code = f"import sys, {flows}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == []
