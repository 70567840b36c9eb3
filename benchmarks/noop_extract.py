"""Claim: `extract` over 100,000 images that all have features takes less than 2 s, start of the process included.

    python benchmarks/noop_extract.py [--quick]

Writes a project of its own in a temporary folder: a manifest of made-up digests, and random features, as many for each as the shipped backbone gives, in parts
of 2048 rows. The first run of `python -m tasks.stages.extract` checks everything; ours is the median of those after it, which find nothing changed.
The reference is a process that only imports PyTorch. `--quick`: 10,000 images.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from tasks.project.paths import FEATURES, MANIFEST, SETTINGS
from thaw.backbones.backbone import read_backbone
from thaw.dataset.manifest import Example, build_manifest, write_manifest
from thaw.features.extraction.extraction import cut_layers
from thaw.features.store.environment import made_with
from thaw.features.store.store import FeatureStore
from thaw.foundation.files.atomic import digest_bytes
from thaw.params.values.reading import read_params, write_settings

ROOT = Path(__file__).resolve().parents[1]
RUNS = 7


def main() -> None:
    """Make the project, run the stage, print the medians and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the images")
    rows = 10_000 if parser.parse_args().quick else 100_000
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        _make_project(rows)
        stage = [sys.executable, "-m", "tasks.stages.extract"]
        print(f"first run, {rows} images: {_seconds(stage, environment):.2f} s")
        ours, reference = [], []
        for _ in range(RUNS):
            ours.append(_seconds(stage, environment))
            reference.append(_seconds([sys.executable, "-c", "import torch"], environment))
        os.chdir(ROOT)
    mine, theirs = statistics.median(ours), statistics.median(reference)
    claim = f"extract with nothing to do, {rows} cached images, s; reference: importing PyTorch; goal: 2 s at most"
    print(json.dumps({"claim": claim, "ours": mine, "reference": theirs, "ratio": theirs / mine, "goal": 2.0}))


def _make_project(rows: int) -> None:
    """Everything that the stage reads, below the working directory."""
    weights = ROOT / "data/pretrain/small.safetensors"
    Path("params.yaml").write_text(f"backbone: {{weights: {weights}}}\n")
    params = read_params()
    write_settings(params, SETTINGS)
    (layer,) = cut_layers(read_backbone(params.backbone), "float32", "float32", ("identity",))
    digests = [digest_bytes(number.to_bytes(8, "little")) for number in range(rows)]
    examples = (
        Example(digest, f"{number % 10}/{number:06}.jpg", str(number % 10), "train", None, (32, 32, 3), 999)
        for number, digest in enumerate(digests)
    )
    write_manifest(build_manifest(examples), MANIFEST)
    store, generator = FeatureStore(FEATURES), torch.Generator().manual_seed(0)
    for start in range(0, rows, 2048):
        block = digests[start : start + 2048]
        store.write(layer, block, torch.randn(len(block), layer.dim, generator=generator), made_with())


def _seconds(command: list[str], environment: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
