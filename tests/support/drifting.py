"""Batches of new images: real digits through the embedded backbone, blurred or of other classes where drift is wanted; and scores tables of them."""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
import torch.nn.functional as F
from digit_images import digit_images, embedded
from openness_rows import opened_predictor

from thaw.drift.observed import Observed, observe
from thaw.drift.record import DriftReport, LeftOut, Origin
from thaw.drift.reference import Reference
from thaw.features.store.store import FeatureStore, Layer
from thaw.foundation.files.atomic import DIGEST_SIZE
from thaw.models.prediction.answer import answer
from thaw.params.sections import WatchParams
from thaw.targets.target import NEITHER

QUICK = WatchParams(false_alarms=0.05, permutations=200)
SCORES = pa.schema(
    [
        pa.field("path", pa.string()),
        pa.field("digest", pa.binary(DIGEST_SIZE)),
        pa.field("label", pa.string()),
        pa.field("labels", pa.list_(pa.string())),
        pa.field("confidence", pa.float32()),
        pa.field("known_score", pa.float32()),
        pa.field("probabilities", pa.list_(pa.float32())),
        pa.field("reason", pa.string()),
    ]
)
"""What scoring writes."""


def layer() -> Layer:
    """Where the features of the embedded backbone's last layer are."""
    backbone = embedded()
    return Layer(backbone.fingerprint("float32", "float32"), backbone.layers[-1], 256)


def blurred(pixels: torch.Tensor) -> torch.Tensor:
    """uint8 [N, 3, H, W], each pixel the mean of those around it."""
    return F.avg_pool2d(pixels.float(), 9, 1, 4).to(torch.uint8)


@cache
def batch(first: int, count: int, *, blur: bool = False, classes: int = 3) -> Observed:
    """What a model of the digits 0 to 2, that may say `neither`, says of `count` digits from the `first` on, of the lowest classes."""
    images, model = digit_images(first, count, classes), opened_predictor()
    pixels = images.batch(torch.arange(count))
    features = embedded().features(blurred(pixels) if blur else pixels)[model.layer].clone()
    mark = bytes([classes, blur])
    digests = [mark + digest[2:] for digest in images.digests]
    return observe(digests, features, answer(model.head, model.openness, features))


@cache
def reference(count: int = 150) -> Reference:
    """`count` digits that the model did not learn from, the first 100 of them of the test split."""
    return Reference(layer(), opened_predictor().class_names, batch(120, count), np.arange(count) < 100)


def report(new: Observed, params: WatchParams = QUICK, known: Reference | None = None) -> DriftReport:
    from thaw.drift.measuring import measure_drift

    origin = Origin("digits", 1, "2026-11-05T08:00:00+00:00")
    return measure_drift(known or reference(), new, params, origin=origin, left_out=LeftOut())


def renamed(known: Reference, names: Sequence[str]) -> Reference:
    return replace(known, class_names=tuple(names))


def write_scores(path: Path, new: Observed, *, unusable: int = 0, **stated: str) -> Path:
    """The scores table of a batch of the model above, as version 1 of `pets` wrote it unless `stated` says otherwise."""
    names = opened_predictor().class_names
    labels = [names[row.argmax()] for row in new.named]
    if new.accepted is not None:
        labels = [label if known else NEITHER for label, known in zip(labels, new.accepted, strict=True)]
    nothing, count = [None] * unusable, len(new)
    columns = {
        "path": [f"{row}.png" for row in range(count + unusable)],
        "digest": [*new.digests, *nothing],
        "label": [*labels, *nothing],
        "labels": [None] * (count + unusable),
        "confidence": [*_plain(new.confidences, count), *nothing],
        "known_score": [*_plain(new.known_scores, count), *nothing],
        "probabilities": [*new.named.astype(np.float32).tolist(), *nothing],
        "reason": [""] * count + ["is no image"] * unusable,
    }
    metadata = {
        "model": "pets",
        "version": "1",
        "fingerprint": layer().fingerprint,
        "layer": layer().name,
        "dim": str(layer().dim),
        "class_names": json.dumps(names),
        "scored_at": "2026-11-05T08:00:00+00:00",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns, schema=SCORES.with_metadata(metadata | stated)), path)
    return path


def store_features(root: Path, new: Observed) -> None:
    """Put a batch's features into a store, as scoring does."""
    FeatureStore(root).write(layer(), list(new.digests), torch.from_numpy(new.features), {})


def _plain(column: np.ndarray | None, count: int) -> list[float | None]:
    return [None] * count if column is None else [float(value) for value in column]
