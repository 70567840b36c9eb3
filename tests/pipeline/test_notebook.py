"""`thaw` as a library: what docs/the-pipeline.md shows for a notebook, as it stands, where there is no project."""

import os
import subprocess
import sys
from pathlib import Path

import torch
from documented import DOCS, ROOT, blocks, uses_the_library

from thaw.backbones.architectures import build_seeded

SHOWN = """
print(tuple(features.shape), features.dtype, len(manifest))
assert not {"prefect", "dvc", "mlflow"} & set(sys.modules), "the library knows no pipeline"
"""


def test_the_example_gives_features_and_needs_no_pipeline(tmp_path: Path, picture_folder: Path) -> None:
    (example,) = [block for block in blocks(DOCS / "the-pipeline.md", "python") if uses_the_library(block)]
    torch.save(build_seeded("thaw_small", 10, 0).state_dict(), tmp_path / "resnet18.pth")  # any weights will do
    picture_folder.rename(tmp_path / "photos")
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys\n{example}{SHOWN}"], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("(12, ") and ran.stdout.endswith("float32 12\n"), ran.stdout
