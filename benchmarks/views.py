"""What views and poolings are worth: test accuracy of a linear head with few labels, against the plain features.

    THAW_REAL_DATA=FOLDER python benchmarks/views.py [--quick]

`FOLDER` holds `hymenoptera/{train,val}/{ants,bees}` and `mobilenet_v2-imagenet.pth`. Heads learn from 5 and from 20 images a class of the train folder, 40
draws each, the same for every contender, and are tested on the val folder.
The ratio is that of the error rates: above 1, ours makes fewer mistakes.
No goal is set: the figures say whether to turn them on. `--quick` takes 5 draws of 5 images, and leaves the corners out.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

import torch

from thaw.backbones.backbone import read_backbone
from thaw.dataset.ingestion import ingest
from thaw.dataset.manifest import TEST, TRAIN, Manifest
from thaw.dataset.places import Places
from thaw.dataset.selection import class_names_of, examples_of, training_examples
from thaw.features.extraction.extraction import extract
from thaw.features.store.store import FeatureStore, read_views
from thaw.heads import fit_head
from thaw.kinds.images.kind import KIND
from thaw.kinds.kind import Limits
from thaw.kinds.views import expand_views
from thaw.params.sections import BackboneParams, DatasetParams, ExtractParams, HeadParams, Pooling
from thaw.targets.labelled import label_views

MAPS = "features.18"
"""The last layer of MobileNetV2 with something to pool; its average is what the classifier takes."""


def main() -> None:
    """Extract once, fit heads on each draw, print one JSON line a contender."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer draws and views")
    quick = parser.parse_args().quick
    if not (real := os.environ.get("THAW_REAL_DATA")):
        print("set THAW_REAL_DATA to a folder with hymenoptera/ and mobilenet_v2-imagenet.pth", file=sys.stderr)
        raise SystemExit(0)
    images = Path(real) / "hymenoptera"
    manifest = ingest(Places(images), DatasetParams(source=str(images)), KIND).manifest
    views: list[tuple[str, ...]] = [("hflip",)] if quick else [("hflip",), ("five_crop",), ("hflip", "five_crop")]
    with tempfile.TemporaryDirectory() as folder:
        bench = _Bench(manifest, images, Path(real) / "mobilenet_v2-imagenet.pth", FeatureStore(Path(folder)))
        for labels in (5,) if quick else (5, 20):
            draws = range(5 if quick else 40)
            plain = bench.accuracy("average", ("identity",), labels, draws)
            for wanted in views:
                _claim(f"views {' and '.join(wanted)}", labels, bench.accuracy("average", wanted, labels, draws), plain)
            for pooling in ("max", "gem"):
                _claim(f"pooling {pooling}", labels, bench.accuracy(pooling, ("identity",), labels, draws), plain)


class _Bench:
    def __init__(self, manifest: Manifest, images: Path, weights: Path, store: FeatureStore) -> None:
        self._manifest = manifest
        self._images = images
        self._weights = weights
        self._store = store

    def accuracy(self, pooling: Pooling, views: tuple[str, ...], labels: int, draws: range) -> float:
        """The mean over draws."""
        backbone = read_backbone(BackboneParams(weights=str(self._weights), layers=(MAPS,), pooling=pooling))
        params = ExtractParams(views=views)
        index = extract(self._manifest, Places(self._images), backbone, self._store, params, limits=Limits(10**8)).index
        layers = [index.layer(None, view) for view in expand_views(views, KIND)]
        test = examples_of(self._manifest, TEST)
        tested = read_views(self._store, layers[:1], test)[:, 0]
        right = []
        for seed in draws:
            rows = training_examples(self._manifest, labels, seed)
            names = class_names_of(rows)
            targets = torch.tensor([names.index(str(row.label)) for row in rows])
            train = label_views(read_views(self._store, layers, rows), targets, names)
            head = fit_head(train, None, HeadParams(seed=seed))
            expected = torch.tensor([names.index(str(row.label)) for row in test])
            right.append(float((head.logits(tested).argmax(1) == expected).float().mean()))
        assert all(row.split == TRAIN for row in rows)
        return statistics.mean(right)


def _claim(name: str, labels: int, ours: float, plain: float) -> None:
    claim = f"{name}, {labels} labels a class, test accuracy"
    ratio = (1 - plain) / (1 - ours)
    print(json.dumps({"claim": claim, "ours": ours, "reference": plain, "ratio": ratio, "goal": None}), flush=True)


if __name__ == "__main__":
    main()
