"""Small pictures of noise on disk, and their manifest."""

from pathlib import Path

import numpy as np
from PIL import Image

from thaw.dataset.manifest import Example, Manifest, build_manifest
from thaw.foundation.files.atomic import digest_file
from thaw.kinds.kind import Limits

LIMITS = Limits(10**6)


def write_images(folder: Path, numbers: range) -> None:
    folder.mkdir(exist_ok=True)
    for number in numbers:
        noise = np.random.default_rng(number).integers(0, 256, (12, 10, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{number:05}.png")


def manifest_of(folder: Path, label: str = "a") -> Manifest:
    files = sorted(folder.glob("*.png"))
    rows = (
        Example(digest_file(file), file.name, label, "train", None, (12, 10, 3), file.stat().st_size) for file in files
    )
    return build_manifest(rows)
