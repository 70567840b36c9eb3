"""What `evaluate` writes for the watch, on pictures that the earlier stages took."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from stage_runs import run_stage

from tasks.project.paths import FEATURES, FEATURES_INDEX, HEAD, MANIFEST, REPORT, STRATEGY
from tasks.stages import head
from tasks.stages.evaluate import stage as evaluate
from tasks.stages.evaluate.drift_reference import REFERENCE, record_reference
from thaw.backbones.backbone import read_backbone
from thaw.dataset.manifest import read_manifest
from thaw.drift.reference import read_reference
from thaw.features.store.store import FeatureStore, read_index
from thaw.heads import read_head
from thaw.heads.open_set import read_openness
from thaw.models.prediction.predictor import Predictor
from thaw.params.values.reading import read_params
from thaw.params.values.strategy import read_strategy
from thaw.targets.predictions import read_predictions


def test_it_holds_the_test_images_with_the_cached_features_and_what_the_model_says(project: Path) -> None:
    known, predictions = read_reference(REPORT / REFERENCE), read_predictions(REPORT / "predictions.parquet")
    layer = read_index(FEATURES_INDEX).layer(read_strategy(STRATEGY).layer)
    assert (known.layer, known.class_names) == (layer, predictions.class_names)
    assert known.unseen.all() and set(known.rows.digests) == set(predictions.digests)
    cached = FeatureStore(FEATURES).read(layer.fingerprint, layer.name, known.rows.digests)
    assert np.array_equal(known.rows.features, cached.numpy())
    place = {digest: row for row, digest in enumerate(predictions.digests)}
    order = [place[digest] for digest in known.rows.digests]
    assert np.array_equal(known.rows.named.argmax(1), predictions.predicted[order])
    assert known.rows.confidences == pytest.approx(predictions.confidences[order], abs=1e-6)
    assert known.rows.accepted is None and known.rows.known_scores is None


def test_with_openness_it_says_what_is_accepted(project: Path) -> None:
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text + "openness: {score: neighbours, false_accepts: 0.3}\n")
    run_stage(head)
    run_stage(evaluate)
    rows, openness = read_reference(REPORT / REFERENCE).rows, read_openness(HEAD)
    assert rows.accepted is not None and rows.known_scores is not None and openness is not None
    assert np.array_equal(rows.accepted, openness.accepts(torch.tensor(rows.known_scores)).numpy())
    assert 0 < rows.accepted.mean() <= 1


def test_of_a_fine_tuned_model_features_come_from_the_model_itself(project: Path) -> None:
    before, params, manifest = read_reference(REPORT / REFERENCE), read_params(), read_manifest(MANIFEST)
    layer = before.layer
    # The same network, given as a fine-tuned one is: its features must be those of the cache.
    tuned = Predictor(read_backbone(params.backbone), read_head(HEAD), layer.name)
    record_reference(params, manifest, replace(layer, fingerprint="not asked for"), tuned, REPORT)
    after = read_reference(REPORT / REFERENCE)
    assert after.layer == layer and after.rows.digests == before.rows.digests
    assert after.rows.features == pytest.approx(before.rows.features, abs=1e-3)
    assert np.array_equal(after.rows.named, before.rows.named)
