"""Claims: `extract` over 100,000 examples that all have features takes less than 2 s, start of the process included; of images, and of the rows of a table.

    python benchmarks/noop_extract.py [--quick]

Writes a project for each in a temporary folder: a manifest of made-up examples, and random features, as many for each as the backbone gives that ships for
the kind, in parts of 2048 rows. The first run of `python -m tasks.stages.extract` checks everything; ours is the median of those after it, which find nothing
changed. The reference is a process that only imports PyTorch. `--quick`: 10,000 examples.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from tasks.project.paths import FEATURES, MANIFEST, SETTINGS
from thaw.backbones.backbone import read_backbone
from thaw.dataset.manifest import Example, build_manifest, write_manifest
from thaw.features.extraction.extraction import cut_layers
from thaw.features.store.environment import made_with
from thaw.features.store.store import FeatureStore
from thaw.foundation.files.atomic import digest_bytes
from thaw.params.values.places import SHIPPED_WEIGHTS
from thaw.params.values.reading import read_params, write_settings

ROOT = Path(__file__).resolve().parents[1]
RUNS = 7
TABLE = "reviews.csv"


@dataclass(frozen=True)
class Examples:
    """Examples of a kind. weights: of the backbone, below `ROOT`. content, path: of an example, by its number. shape: see `Example`."""

    name: str
    weights: Path
    content: Callable[[int], bytes]
    path: Callable[[int], str]
    shape: tuple[int, ...]


def _text(number: int) -> bytes:
    return f"a text of number {number}".encode()


MEASURED = (
    Examples(
        "images",
        SHIPPED_WEIGHTS["thaw_small"],
        lambda number: number.to_bytes(8, "little"),
        lambda number: f"{number % 10}/{number:06}.jpg",
        (32, 32, 3),
    ),
    Examples("texts", SHIPPED_WEIGHTS["thaw_words"], _text, lambda number: f"{TABLE}#{number + 1}", (22,)),
)


def main() -> None:
    """Make the projects, run the stage, print the medians and one JSON line a claim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the examples")
    rows = 10_000 if parser.parse_args().quick else 100_000
    for examples in MEASURED:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            _make_project(examples, rows)
            mine, theirs = _measured(f"{rows} {examples.name}")
            os.chdir(ROOT)
        claim = (
            f"extract with nothing to do, {rows} cached {examples.name}, s; reference: importing PyTorch; at most 2 s"
        )
        print(json.dumps({"claim": claim, "ours": mine, "reference": theirs, "ratio": 2.0 / mine, "goal": 1.0}))


def _measured(what: str) -> tuple[float, float]:
    """The median seconds of the stage and of the reference."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    stage = [sys.executable, "-m", "tasks.stages.extract"]
    print(f"first run, {what}: {_seconds(stage, environment):.2f} s")
    ours, reference = [], []
    for _ in range(RUNS):
        ours.append(_seconds(stage, environment))
        reference.append(_seconds([sys.executable, "-c", "import torch"], environment))
    return statistics.median(ours), statistics.median(reference)


def _make_project(each: Examples, rows: int) -> None:
    """Everything that the stage reads, below the working directory."""
    Path("params.yaml").write_text(
        f"dataset: {{kind: {each.name}, source: {TABLE}}}\nbackbone: {{weights: {ROOT / each.weights}}}\n"
    )
    params = read_params()
    write_settings(params, SETTINGS)
    (layer,) = cut_layers(read_backbone(params.backbone), "float32", "float32", ("identity",))
    # A first run looks at some texts, so their table is there; images are not looked at.
    Path(TABLE).write_bytes(b"\n".join((b"text", *map(_text, range(rows)), b"")))
    digests = [digest_bytes(each.content(number)) for number in range(rows)]
    examples = (
        Example(digest, each.path(number), str(number % 10), "train", None, each.shape, 999)
        for number, digest in enumerate(digests)
    )
    write_manifest(build_manifest(examples, each.name), MANIFEST)
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
