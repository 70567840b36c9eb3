"""Small real pictures on disk, and the real data that some machines have."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Draw = Callable[[Path, int], Path]

# A shell that starts the tests in the background has them ignore Ctrl-C, and every command that they start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def draw() -> Draw:
    """Write a 24 x 32 picture of noise, another for each seed, as the kind that the path's ending names."""

    def write(path: Path, seed: int) -> Path:
        pixels = np.random.default_rng(seed).integers(0, 256, (24, 32, 3), np.uint8)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        return path

    return write


@pytest.fixture
def picture_folder(tmp_path: Path, draw: Draw) -> Path:
    """A source of two classes: `ants` with six JPEG and `bees` with six PNG pictures, all different."""
    root = tmp_path / "source"
    for index in range(6):
        draw(root / "ants" / f"ant-{index}.jpg", index)
        draw(root / "bees" / f"bee-{index}.png", 100 + index)
    return root


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real inputs that `THAW_REAL_DATA` names."""
    if not (folder := os.environ.get("THAW_REAL_DATA")):
        pytest.skip("THAW_REAL_DATA names no folder of real data")
    if not Path(folder).is_dir():
        pytest.skip(f"THAW_REAL_DATA names {folder}, which does not exist")
    return Path(folder).resolve()
