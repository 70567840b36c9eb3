"""Claims of `thaw review`: wrong labels are found, near-copies are told from other pictures, labels bought by its advice are worth more than random ones.

    python benchmarks/review.py [--quick]

scikit-learn's digits through the embedded backbone; where the environment variable THAW_REAL_DATA names a folder with `hymenoptera/` and
`mobilenet_v2-imagenet.pth`, also those photographs. References: for wrong labels, every row whose out-of-fold prediction is not its label; for near-copies
scikit-learn's exact neighbours by cosine, as seconds; for labels, as many drawn at random. `--quick`: fewer seeds and rows.
"""

import argparse
import io
import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from sklearn.neighbors import NearestNeighbors

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.dataset.builtin import write_builtin
from thaw.dataset.ingestion import ingest
from thaw.dataset.manifest import SPLITS
from thaw.dataset.places import Places
from thaw.heads import FittedHead, fit_head
from thaw.heads.standardisation import fit_standardisation
from thaw.kinds.images.decoding import decode_pixels
from thaw.kinds.images.kind import KIND
from thaw.params.sections import BackboneParams, DatasetParams, HeadParams, SplitParams
from thaw.review.acquisition import choose_to_label
from thaw.review.duplicates import RANK, find_near_duplicates
from thaw.review.suspects import find_suspects, judge
from thaw.targets.labelled import LabelledFeatures

FLIPPED = 0.05
COPIES = 60
MOST_PIXELS = 10**8


@dataclass(frozen=True, eq=False)
class Set:
    """Images with their features: features float32 [N, D], targets and splits int64 [N]."""

    name: str
    files: tuple[Path, ...]
    features: torch.Tensor
    targets: torch.Tensor
    splits: torch.Tensor
    class_names: tuple[str, ...]
    backbone: Backbone


def main() -> None:
    """Measure and print one JSON line a claim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer seeds and rows")
    quick = parser.parse_args().quick
    seeds = 2 if quick else 10
    with tempfile.TemporaryDirectory() as folder:
        for images in read_sets(Path(folder), quick=quick):
            measure_suspects(images, seeds)
            measure_copies(images)
            measure_labels(images, seeds)
    measure_search(10_000 if quick else 100_000)


def claim(text: str, ours: float, reference: float | None, goal: float, **more: object) -> None:
    """One line of the result."""
    ratio = None if not reference else ours / reference
    print(json.dumps({"claim": text, "ours": ours, "reference": reference, "ratio": ratio, "goal": goal, **more}))


def read_sets(folder: Path, *, quick: bool) -> list[Set]:
    """Digits, and the photographs where there are any."""
    write_builtin(folder / "digits")
    sets = [read_set(folder / "digits", BackboneParams())]
    if (real := os.environ.get("THAW_REAL_DATA")) and not quick:
        sets.append(read_set(Path(real) / "hymenoptera", BackboneParams(weights=f"{real}/mobilenet_v2-imagenet.pth")))
    return sets


def read_set(source: Path, params: BackboneParams) -> Set:
    """The features of a source, half of it the test."""
    halves = DatasetParams(source=str(source), splits=SplitParams(val=0, test=0.5))
    manifest, backbone = ingest(Places(source), halves, KIND).manifest, read_backbone(params)
    rows = [row for row in manifest.examples() if row.label is not None]
    files = tuple(source / row.path for row in rows)
    names = manifest.class_names
    return Set(
        source.name,
        files,
        features_of(backbone, [file.read_bytes() for file in files]),
        torch.tensor([names.index(str(row.label)) for row in rows]),
        torch.tensor([SPLITS.index(row.split) for row in rows]),
        names,
        backbone,
    )


def features_of(backbone: Backbone, contents: Sequence[bytes]) -> torch.Tensor:
    """float32 [N, D], of the last cut layer."""
    pixels = [decode_pixels(content, backbone.preprocessing, MOST_PIXELS) for content in contents]
    batches = [torch.stack(pixels[start : start + 32]) for start in range(0, len(pixels), 32)]
    return torch.cat([backbone.features(batch)[backbone.layers[-1]].clone() for batch in batches])


def measure_suspects(images: Set, seeds: int) -> None:
    """Labels flipped at random: the share of suspects that are wrong, and the share of the wrong that are suspects."""
    ours, reference = [], []
    for seed in range(seeds):
        random = np.random.default_rng(seed)
        flipped = random.choice(len(images.targets), round(FLIPPED * len(images.targets)), replace=False)
        targets = images.targets.clone()
        shift = torch.from_numpy(random.integers(1, len(images.class_names), len(flipped)))
        targets[flipped] = (targets[flipped] + shift) % len(images.class_names)
        learning = LabelledFeatures(images.features, targets, images.class_names)
        judged = judge(learning, learning.rows(torch.arange(0)), HeadParams())
        wrong = set(flipped.tolist())
        ours.append(_precision_recall({one.row for one in find_suspects(judged.learning, targets)}, wrong))
        differ = (judged.learning.argmax(1) != targets).nonzero()[:, 0].tolist()
        reference.append(_precision_recall(set(differ), wrong))
    for place, name in enumerate(("precision", "recall")):
        mean, other = np.mean(ours, 0)[place], np.mean(reference, 0)[place]
        text = f"{name} of suspect labels, {images.name}, {FLIPPED:.0%} of the labels flipped, {seeds} seeds"
        claim(text, float(mean), float(other), 0.8)


def _precision_recall(found: set[int], wrong: set[int]) -> tuple[float, float]:
    return len(found & wrong) / max(1, len(found)), len(found & wrong) / len(wrong)


def measure_copies(images: Set) -> None:
    """Re-encoded copies put into another split: the share that is found, and how many pairs of different pictures are taken for copies."""
    other = find_near_duplicates(images.features, images.splits)
    claim(f"pairs of different pictures taken for copies, of {len(images.files)}, {images.name}", len(other), None, 5)
    chosen = np.random.default_rng(0).choice(len(images.files), min(COPIES, len(images.files)), replace=False)
    changes: dict[str, Callable[[Image.Image], bytes]] = {
        "JPEG quality 95": lambda image: _jpeg(image, 95, 1),
        "JPEG quality 75": lambda image: _jpeg(image, 75, 1),
        "JPEG quality 50": lambda image: _jpeg(image, 50, 1),
        "three quarters of the size, JPEG quality 85": lambda image: _jpeg(image, 85, 0.75),
        "twice the size, JPEG quality 90": lambda image: _jpeg(image, 90, 2),
    }
    for name, change in changes.items():
        contents = [change(Image.open(images.files[row]).convert("RGB")) for row in chosen]
        features = torch.cat([images.features, features_of(images.backbone, contents)])
        splits = torch.cat([images.splits, 1 - images.splits[chosen].clamp(max=1)])  # val where it is train, else train
        pairs = {(pair.first, pair.second) for pair in find_near_duplicates(features, splits)}
        found = sum((int(row), len(images.files) + place) in pairs for place, row in enumerate(chosen))
        claim(f"share of copies found, {name}, {images.name}", found / len(chosen), None, 0.8)


def _jpeg(image: Image.Image, quality: int, scale: float) -> bytes:
    buffer = io.BytesIO()
    image.resize((round(image.width * scale), round(image.height * scale))).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def measure_labels(images: Set, seeds: int, start: int = 2) -> None:
    """Test accuracy after buying as many labels again, and again: chosen against drawn at random, from the same `start` labels a class."""
    params = HeadParams(l2=(1e-3, 1e-2, 1e-1, 1.0), folds=3)
    bought = start * len(images.class_names)
    reached: dict[str, list[float]] = {"chosen": [], "random": []}
    test = images.splits == SPLITS.index("test")
    for seed in range(seeds):
        order = torch.randperm(len(test), generator=torch.Generator().manual_seed(seed))
        pool = order[~test[order]]
        first = torch.cat([pool[images.targets[pool] == label][:start] for label in range(len(images.class_names))])
        for way, accuracies in reached.items():
            rows = first
            for _ in range(2):
                rest = pool[~torch.isin(pool, rows)]
                head = fit_head(_labelled(images, rows), None, params)
                if way == "chosen":
                    chosen = choose_to_label(_unsure(head, images.features[rest]), images.features[rest], bought)
                    rows = torch.cat([rows, rest[[one.row for one in chosen]]])
                else:
                    rows = torch.cat([rows, rest[:bought]])
            head = fit_head(_labelled(images, rows), None, params)
            right = head.logits(images.features[test]).argmax(1) == images.targets[test]
            accuracies.append(float(right.float().mean()))
    gain = 100 * (np.array(reached["chosen"]) - np.array(reached["random"]))
    error = gain.std(ddof=1) / len(gain) ** 0.5
    text = f"test accuracy with {3 * start} labels a class on average, {start} of them drawn, the rest chosen, {images.name}, {seeds} seeds"
    means = {way: float(np.mean(accuracies)) for way, accuracies in reached.items()}
    claim(text, means["chosen"], means["random"], 1.0, points=float(gain.mean()), standard_error=float(error))


def _unsure(head: FittedHead, features: torch.Tensor) -> torch.Tensor:
    return head.target.unsure(head.probabilities(features))


def _labelled(images: Set, rows: torch.Tensor) -> LabelledFeatures:
    return LabelledFeatures(images.features[rows], images.targets[rows], images.class_names)


def measure_search(rows: int) -> None:
    """Seconds to compare a fifth of the rows with the others, 512 features each, beside scikit-learn's exact neighbours."""
    features = torch.randn(rows, 512, generator=torch.Generator().manual_seed(0))
    splits = (torch.arange(rows) % 5 == 0).long()
    started = time.perf_counter()
    find_near_duplicates(features, splits)
    ours = time.perf_counter() - started
    some = min(rows, 10_000)  # the reference takes minutes on all; its time is proportional to the queries
    points = F.normalize(fit_standardisation(features).apply(features)).numpy()
    here, there = points[splits.numpy() == 1], points[splits.numpy() == 0]
    started = time.perf_counter()
    NearestNeighbors(n_neighbors=RANK, metric="cosine", algorithm="brute").fit(there).kneighbors(here[: some // 5])
    NearestNeighbors(n_neighbors=RANK, metric="cosine", algorithm="brute").fit(here).kneighbors(
        there[: some - some // 5]
    )
    reference = (time.perf_counter() - started) * rows / some
    claim(f"seconds to search {rows:,} x 512 for near-copies across splits", ours, reference, 1.0)


if __name__ == "__main__":
    main()
