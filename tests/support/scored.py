"""A scorer of the digits 0 to 2, and tiny pictures for it."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from openness_rows import predictor_on_digits
from PIL import Image

from thaw.features.extraction.extraction import cut_layers
from thaw.features.extraction.worker import Extractor
from thaw.features.store.store import FeatureStore, Layer
from thaw.foundation.parallel.progress import Progress, untold
from thaw.kinds.kind import Limits
from thaw.models.prediction.predictor import Predictor
from thaw.models.scoring.featuring import Featuring
from thaw.models.scoring.forward import Forward
from thaw.models.scoring.inputs import open_inputs
from thaw.models.scoring.scoring import Scored, Scorer, score_all
from thaw.models.scoring.table import ScoredBy
from thaw.models.scoring.taken import Taken
from thaw.params.sections import ExtractParams

LIMITS = Limits(10**6)


def layer_of(predictor: Predictor) -> Layer:
    """The layer whose features it takes, in float32."""
    return cut_layers(predictor.backbone, "float32", "float32", ("identity",))[0]


def scorer_into(
    store: FeatureStore,
    *others: FeatureStore,
    predictor: Predictor | None = None,
    workers: int = 2,
) -> Scorer:
    """A scorer whose new features go to a store."""
    model = predictor or predictor_on_digits()
    extractor = Extractor.begin(model.backbone, ExtractParams(workers=workers), LIMITS, None)
    layer = layer_of(model)
    forward = Forward(extractor, layer, "float32", torch.float32)
    return Scorer(model, Featuring(layer, forward, into=store, others=others, limits=LIMITS))


def score_into(
    output: Path,
    scorer: Scorer,
    *sources: object,
    part_rows: int = 16,
    progress: Progress = untold,
    taken: Taken = Taken(),  # noqa: B008  # frozen
) -> Scored:
    """Score sources to a table."""
    by = ScoredBy("digits", "1", "f" * 32, "flatten", 256, predictor_on_digits().class_names)
    named = open_inputs([str(source) for source in sources], taken)
    return score_all(named, scorer, by, output, key="digits", part_rows=part_rows, progress=progress)


def png(number: int, side: int = 8) -> bytes:
    """A picture of noise, another for each number."""
    buffer = io.BytesIO()
    noise = np.random.default_rng(number).integers(0, 256, (side, side), np.uint8)
    Image.fromarray(noise).save(buffer, "PNG")
    return buffer.getvalue()


def write_pngs(folder: Path, count: int, first: int = 0) -> Path:
    """`count` such pictures, called by their numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        (folder / f"{number:05}.png").write_bytes(png(number))
    return folder


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a table of scores."""
    return pq.read_table(path).to_pylist()
