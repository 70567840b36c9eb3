"""Claim: peak memory of ingest and extract does not grow with the number of images.

    python benchmarks/steady_memory.py [--quick]

Ingests and extracts 2,000 and 20,000 JPEG files (160 x 120, noise over a gradient) with the embedded backbone, each in a process of its own, and
compares the peak resident set sizes that the kernel reports. `--quick`: 500 and 5,000.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from thaw.dataset.places import Places
from thaw.kinds.kind import Limits

WEIGHTS = "data/pretrain/small.safetensors"


def main() -> None:
    """Measure both sizes and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a quarter of the images")
    parser.add_argument("--extract", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.extract:
        print(peak_mb(arguments.extract))
        return
    few, many = (500, 5000) if arguments.quick else (2000, 20000)
    peaks = {}
    for count in (few, many):
        with tempfile.TemporaryDirectory() as folder:
            write_images(Path(folder) / "images", count)
            command = [sys.executable, __file__, "--extract", folder]
            peaks[count] = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])
        print(f"{count:6} images: peak {peaks[count]:.0f} MB")
    ratio = peaks[many] / peaks[few]
    claim = f"peak RSS of ingest and extract at {many} images over that at {few}; goal: at most"
    print(json.dumps({"claim": claim, "ours": peaks[many], "reference": peaks[few], "ratio": ratio, "goal": 1.1}))


def write_images(folder: Path, count: int) -> None:
    """Two classes of distinct pictures."""
    slope = np.linspace(0, 127, 160, dtype=np.uint8)[None, :, None]
    for number in range(count):
        path = folder / "ab"[number % 2] / f"{number:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).integers(0, 128, (120, 160, 3), dtype=np.uint8)
        Image.fromarray(noise + slope).save(path)


def peak_mb(folder: Path) -> float:
    """Ingest and extract `folder/images`, and return this process's peak resident set in MB."""
    from thaw.backbones.backbone import read_backbone
    from thaw.dataset.ingestion import ingest
    from thaw.features.extraction.extraction import extract
    from thaw.features.store.store import FeatureStore
    from thaw.kinds.images.kind import KIND
    from thaw.params.sections import BackboneParams, DatasetParams, ExtractParams

    source = folder / "images"
    manifest = ingest(Places(source), DatasetParams(source=str(source)), KIND).manifest
    backbone = read_backbone(BackboneParams(weights=WEIGHTS))
    extract(
        manifest, Places(source), backbone, FeatureStore(folder / "features"), ExtractParams(), limits=Limits(10**7)
    )
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
