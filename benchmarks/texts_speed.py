"""Claims: how many texts a second Thaw turns into features, beside sentence-transformers on the same texts.

    THAW_REAL_DATA=FOLDER python benchmarks/texts_speed.py [--quick]

`FOLDER` holds `text/minilm`, `text/vectors` and `text/sets/subj.all`. All cores, ours and the reference in turns. all-MiniLM-L6-v2: ours from a table to
features in Parquet (reading, pieces, forward passes, writing), float32 and bfloat16; the reference is `SentenceTransformer.encode` on strings in memory, with
batches of 32, in float32. Word vectors: ours alone, from strings to features, by the seconds of one core. Then the forward passes for the same table once more,
and with 10 new rows.
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
from pathlib import Path

import torch

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.backbones.converting.converting import convert
from thaw.backbones.converting.source import Source
from thaw.backbones.engines.engine import Precision
from thaw.dataset.ingestion import ingest
from thaw.dataset.places import Places
from thaw.features.extraction.extraction import extract
from thaw.features.store.store import FeatureStore
from thaw.foundation.parallel.ordered_map import usable_cores
from thaw.foundation.parallel.torch_threads import threads
from thaw.kinds.batches import in_groups
from thaw.kinds.kind import Limits
from thaw.kinds.prepared import open_reader
from thaw.kinds.texts.kind import KIND
from thaw.params.sections import BackboneParams, DatasetParams, ExtractParams

BATCH = 32


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
    texts = [line.split(" ", 1)[1] for line in lines if line][:: 40 if quick else 5]
    with tempfile.TemporaryDirectory() as folder:
        encoder(root / "minilm", texts, Path(folder), 1 if quick else 3)
        vectors(root / "vectors/glove.6B.50d.first10000.txt", texts, Path(folder), 1 if quick else 5)


def encoder(source: Path, texts: list[str], folder: Path, rounds: int) -> None:
    """MiniLM beside its own library."""
    from sentence_transformers import SentenceTransformer

    backbone = read_backbone(BackboneParams(weights=str(convert(Source(source), folder / "minilm.safetensors").path)))
    table = write(folder / "texts.csv", texts)
    peer = SentenceTransformer(str(source), device="cpu").float()
    torch.set_num_threads(usable_cores())

    def ours(precision: Precision) -> None:
        with tempfile.TemporaryDirectory() as kept:
            run(table, backbone, FeatureStore(Path(kept)), precision)

    found = interleaved(
        {
            "reference": lambda: peer.encode(texts, batch_size=BATCH),
            "float32": lambda: ours("float32"),
            "bfloat16": lambda: ours("bfloat16"),
        },
        rounds,
    )
    for precision, goal in (("float32", 1.5), ("bfloat16", 3.0)):
        claim(
            f"all-MiniLM-L6-v2, {len(texts)} texts, {precision}", found[precision], found["reference"], len(texts), goal
        )
    store = FeatureStore(folder / "features")
    run(table, backbone, store, "float32")
    none = run(table, backbone, store, "float32")
    ten = run(
        write(table, [*texts, *(f"a new text of number {number}" for number in range(10))]), backbone, store, "float32"
    )
    print(
        json.dumps({"claim": "forward passes of a second run, and of one with 10 new rows", "none": none, "ten": ten})
    )


def vectors(source: Path, texts: list[str], folder: Path, rounds: int) -> None:
    """Averaged vectors on one core."""
    backbone = read_backbone(BackboneParams(weights=str(convert(Source(source), folder / "glove.safetensors").path)))
    reader, contents = open_reader(backbone.preprocessing, Limits()), [text.encode() for text in texts]

    def ours() -> None:
        with threads(1):
            examples = [reader.prepare(content) for content in contents]
            in_groups(examples, BATCH, lambda group: backbone.features(KIND.collate(group))["mean"].clone())

    seconds = []
    for _ in range(rounds):
        started = time.process_time()
        ours()
        seconds.append(time.process_time() - started)
    rate = round(len(texts) / statistics.median(seconds))
    print(json.dumps({"claim": "GloVe 50d, texts a second on one core", "ours": rate, "goal": 10_000}))


def write(table: Path, texts: list[str]) -> Path:
    """A table of texts with two labels in turn."""
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *((text, "ab"[row % 2]) for row, text in enumerate(texts))])
    return table


def run(table: Path, backbone: Backbone, store: FeatureStore, precision: Precision) -> int:
    """Ingest and extract; returns the number of forward passes."""
    manifest = ingest(Places(table), DatasetParams(source=str(table)), KIND).manifest
    return extract(
        manifest, Places(table), backbone, store, ExtractParams(precision=precision), limits=Limits()
    ).computed


def interleaved(work: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median seconds of each, in turns."""
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, action in work.items():
            started = time.perf_counter()
            action()
            seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(each) for name, each in seconds.items()}


def claim(what: str, ours: float, reference: float, count: int, goal: float) -> None:
    """Print a claim as texts a second."""
    found = {"claim": f"{what}, texts a second", "ours": round(count / ours), "reference": round(count / reference)}
    print(json.dumps(found | {"ratio": round(reference / ours, 2), "goal": goal}), flush=True)


if __name__ == "__main__":
    main()
