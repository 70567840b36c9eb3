"""Claims: how near extraction on a GPU comes to the lower of its two bounds, decoding alone and the forward pass alone.

    THAW_REAL_DATA=FOLDER python benchmarks/extract_gpu.py [--write] [--device cpu --images 64]

`FOLDER` holds `hymenoptera/{train,val}/{ants,bees}`, whose photographs come many times, each as a file of its own. ResNet-50 and ViT-B/16, 224
pixels, bfloat16, JPEG in to Parquet out; the weights are random, which costs the same. The decode bound is the decoder that extraction chooses, on
all cores; the forward bound is the engine that it chooses, fed with batches that are decoded already. Each is measured once after a round that warms up.
`--write` keeps the figures with the card and the day in `benchmarks/results/`. `--device cpu` is for trying the script out.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import torch
from extract import MOST, many

from thaw.backbones.architectures import build_seeded, default_preprocessing
from thaw.backbones.backbone import AUTO, Backbone, cut
from thaw.backbones.weights import Weights
from thaw.dataset.ingestion import ingest
from thaw.dataset.manifest import Manifest
from thaw.dataset.places import Places
from thaw.features.extraction.extraction import cut_layers
from thaw.features.extraction.worker import ExtractionTask, Extractor
from thaw.features.store.store import FeatureStore
from thaw.foundation.files.atomic import write_text
from thaw.foundation.parallel.ordered_map import map_ahead
from thaw.foundation.parallel.torch_threads import threads
from thaw.kinds.batches import tensor_of
from thaw.kinds.images.kind import KIND
from thaw.kinds.kind import IDENTITY, Limits, Reference
from thaw.params.sections import DatasetParams, ExtractParams

RESULTS = Path(__file__).parent / "results"
GOAL = 0.8
TIMM = {"resnet50": 5088, "vit_b_16": 2843}
"""Images a second that timm publishes for an RTX 4090, mixed precision, batches of 512 (`results/benchmark-infer-amp-nhwc-pt240-cu124-rtx4090.csv`)."""


@dataclass(frozen=True)
class Figures:
    """Images a second of one network: JPEG in to Parquet out, and of each bound alone; `prepare_s`: seconds to choose engine and decoder before."""

    architecture: str
    images: int
    engine: str
    decoder: str
    prepare_s: float
    end_to_end: float
    decode: float
    forward: float
    timm_rtx_4090: int

    @property
    def share(self) -> float:
        """Of the lower bound."""
        return self.end_to_end / min(self.decode, self.forward)


def main() -> None:
    """Measure both networks, print one JSON line each, and keep them if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="keep the figures in benchmarks/results/")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--images", type=int, default=24_000, help="about how many")
    parser.add_argument("--quick", action="store_true", help="a tenth of the images")
    asked = parser.parse_args()
    real, device = os.environ.get("THAW_REAL_DATA"), torch.device(asked.device)
    if not real or (device.type == "cuda" and not torch.cuda.is_available()):
        print("needs an NVIDIA GPU, and THAW_REAL_DATA as a folder with hymenoptera/", file=sys.stderr)
        raise SystemExit(0)
    with tempfile.TemporaryDirectory() as folder:
        photographs = Path(real) / "hymenoptera"
        times = max(1, asked.images // (10 if asked.quick else 1) // len(list(photographs.rglob("*.jp*g"))))
        images = many(photographs, Path(folder), times)
        manifest = ingest(Places(images), DatasetParams(source=str(images)), KIND).manifest
        manifest = Manifest(manifest.table.slice(0, asked.images))
        found = [_figures(architecture, manifest, images, asked.device) for architecture in TIMM]
    card = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    for figures in found:
        print(json.dumps(asdict(figures) | {"card": card, "share": figures.share, "goal": GOAL}))
    if asked.write:
        record = {
            "date": datetime.now(UTC).date().isoformat(),
            "card": card,
            "figures": [asdict(figures) for figures in found],
        }
        name = f"extract_gpu-{card.lower().replace(' ', '-')}.json"
        write_text(RESULTS / name, json.dumps(record, indent=2) + "\n")


def _figures(architecture: str, manifest: Manifest, images: Path, device: str) -> Figures:
    backbone = _backbone(architecture)
    params = ExtractParams(precision="bfloat16", device=device)
    references = tuple((row.digest, images / row.path) for row in manifest.examples())
    extractor = Extractor.begin(backbone, params, Limits(MOST), None)
    task = ExtractionTask(cut_layers(backbone, "bfloat16", params.dtype, (IDENTITY,)), references)
    start = time.perf_counter()
    prepared = extractor.prepare(task, "bfloat16", len(references))
    preparing = time.perf_counter() - start
    batches = [references[start : start + extractor.size] for start in range(0, len(references), extractor.size)]
    read = partial(prepared.reader.read, views=(IDENTITY,))
    decoded = tensor_of(read(batches[0])[IDENTITY])

    def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            for _ in extractor.fill(FeatureStore(Path(folder)), task, prepared):
                pass

    def side_by_side(work: Callable[[Sequence[Reference]], object]) -> Callable[[], None]:
        def all_batches() -> None:
            with threads(1):
                for _ in map_ahead(work, batches, workers=extractor.workers, depth=extractor.workers + 1):
                    pass

        return all_batches

    decode = side_by_side(read)
    forward = side_by_side(lambda batch: prepared.engine.features(decoded[: len(batch)]))
    rates = {}
    for name, work in (("run", run), ("decode", decode), ("forward", forward)):
        work()
        start = time.perf_counter()
        work()
        rates[name] = len(references) / (time.perf_counter() - start)
    return Figures(
        architecture,
        len(references),
        prepared.engine.name,
        prepared.reader.name,
        preparing,
        rates["run"],
        rates["decode"],
        rates["forward"],
        TIMM[architecture],
    )


def _backbone(architecture: str) -> Backbone:
    random = Weights(build_seeded(architecture, 1000, 0).state_dict(), {})
    return cut(architecture, random, (AUTO,), default_preprocessing(architecture, Path("none")))


if __name__ == "__main__":
    main()
