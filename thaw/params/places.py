"""Folders whose names have a meaning in `params.yaml`."""

from pathlib import Path

BUILTIN_SOURCES = Path("data/sources")
"""Where the built-in data sets are written: `data/sources/digits`, `data/sources/hymenoptera`."""
NAMED_WEIGHTS = Path("data/weights")
"""Where weights with a name are written: `data/weights/ResNet18_Weights.IMAGENET1K_V1.pth`, `data/weights/resnet18.random.pth`."""
SHIPPED_WEIGHTS = Path("data/pretrain/small.safetensors")
"""The small backbone that comes with the project."""
