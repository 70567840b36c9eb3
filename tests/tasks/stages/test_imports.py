"""What a stage does not use it does not import: PyTorch and all that trains take seconds."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "torchvision", "lightning_fabric", "sklearn", "scipy.stats", "mlflow", "matplotlib")


@pytest.mark.parametrize(
    ("stage", "used"),
    [
        ("fetch", set()),
        ("ingest", set()),
        ("settings", set()),
        ("extract", set()),
        ("finetune", set()),
        ("compare", set()),
        ("head", {"torch"}),
        ("evaluate.stage", {"torch", "torchvision", "matplotlib"}),
        ("track", {"torch", "torchvision"}),
    ],
)
def test_a_stage_starts_with_what_it_uses(stage: str, used: set[str]) -> None:
    code = f"import sys, tasks.stages.{stage}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(shown.stdout.split()) <= used
