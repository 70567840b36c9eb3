"""The stage `evaluate` on label sets: the model on the test split, beside its baseline; metrics, predictions, figures and a page to read."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tasks.project.paths import FEATURES, HEAD, REPORT
from tasks.stages.evaluate.drift_reference import record_reference
from tasks.stages.evaluate.gallery import make_gallery
from tasks.stages.evaluate.label_sets_baselines import measure_set_baselines
from tasks.stages.evaluate.leakage_and_cost import check
from tasks.stages.evaluate.parity import compare_ways
from tasks.stages.evaluate.report_files import read_ingest_report, table_of, with_intervals
from thaw.backbones.backbone import read_backbone
from thaw.dataset.manifest import TEST, Example, Manifest
from thaw.dataset.selection import examples_of, training_examples
from thaw.evaluation.evaluation import ModelDescription
from thaw.evaluation.label_sets_evaluation import LabelSetEvaluation, evaluate_sets
from thaw.evaluation.label_sets_report import render_set_report, set_figure_pngs
from thaw.evaluation.report import Origin
from thaw.features.store.store import FeatureIndex, FeatureStore, Layer
from thaw.foundation.errors import BadManifest
from thaw.foundation.files.atomic import write_bytes, write_text
from thaw.heads import FittedHead, read_head
from thaw.kinds.kind import Kind
from thaw.kinds.prepared import preview_of
from thaw.models.answer import answer
from thaw.models.predictor import Predictor
from thaw.params.listing import changes
from thaw.params.resampling import resampling_of
from thaw.params.sections import Params
from thaw.params.strategy import Strategy
from thaw.strategies.baselines.learners import SCRATCH
from thaw.targets.predictions import Predictions, write_predictions

log = logging.getLogger(__name__)


def evaluate_label_sets(params: Params, manifest: Manifest, index: FeatureIndex, strategy: Strategy) -> None:
    """Read the head and the features, evaluate, write `data/report/`.

    Raises:
        BadManifest: there is no labelled test image.
    """
    head, test, layer = read_head(HEAD), examples_of(manifest, TEST), index.layer(strategy.layer)
    if not test:
        raise BadManifest("there is no labelled test image; raise dataset.splits.test, or give some the split test")
    predictions = predict_sets(head, test, layer)
    left_out = tuple(name for name in params.evaluate.baselines if name == SCRATCH)
    if left_out:
        log.info("not measured, because it is for one label an image: %s", ", ".join(left_out))
    training = training_examples(manifest, params.dataset.labels_per_class)
    evaluation = evaluate_sets(
        predictions,
        _description(params, index, strategy, head, len(training)),
        head.thresholds or (),
        params.evaluate,
        resampling=resampling_of(params.statistics),
        baselines=measure_set_baselines(params, manifest, layer.name, predictions),
        left_out=left_out,
    )
    backbone = read_backbone(params.backbone).only((layer.name,))
    features = FeatureStore(FEATURES).read(layer.fingerprint, layer.name, [example.digest for example in test])
    compare_ways(Predictor(backbone, head, layer.name), test, params, features)
    make_gallery(params, training, layer, backbone.kind)
    check(params, manifest, layer, test)
    record_reference(params, manifest, layer, None)
    write_set_report(evaluation, predictions, test, params, backbone.kind)
    f1 = evaluation.metrics.macro_f1
    log.info("macro F1 %.3f (%.3f to %.3f) on %d test images", f1.value, f1.low, f1.high, len(test))


def predict_sets(head: FittedHead, test: Sequence[Example], layer: Layer) -> Predictions:
    """What the model says of each test example."""
    digests = [example.digest for example in test]
    said = answer(head, None, FeatureStore(FEATURES).read(layer.fingerprint, layer.name, digests))
    return Predictions(
        head.class_names,
        tuple(digests),
        tuple(example.path for example in test),
        head.target.encode(test, head.class_names).numpy(),
        said.probabilities,
        said.named,
    )


def write_set_report(
    evaluation: LabelSetEvaluation, predictions: Predictions, test: Sequence[Example], params: Params, kind: Kind
) -> None:
    """Write every file of `data/report/`; the metrics, which say that it is whole, last."""
    write_predictions(predictions, REPORT / "predictions.parquet")
    write_text(REPORT / "confusion.csv", table_of(("actual", "predicted"), _pairs(evaluation)))
    bins = [(one.low, one.high, one.n, one.confidence, one.accuracy) for one in evaluation.reliability]
    write_text(REPORT / "reliability.csv", table_of(("low", "high", "n", "confidence", "accuracy"), bins))
    for name, png in set_figure_pngs(evaluation, kind.words):
        write_bytes(REPORT / "figures" / f"{name}.png", png)
    write_text(REPORT / "report.html", _page(evaluation, test, params, kind))
    write_text(REPORT / "metrics.json", json.dumps(metrics_of_sets(evaluation), indent=2) + "\n")


def metrics_of_sets(evaluation: LabelSetEvaluation) -> dict[str, object]:
    """The figures for DVC and MLflow, as nested names and plain numbers."""
    return {
        "test": {"n": evaluation.n, **with_intervals(vars(evaluation.metrics))},
        "baselines": {one.name: {"macro_f1": one.metrics.macro_f1.value} for one in evaluation.baselines},
    }


def _pairs(evaluation: LabelSetEvaluation) -> list[tuple[str, str]]:
    """A row for each label that was found, and for each false find in a label's company, as DVC counts them for its plot."""
    names = evaluation.class_names
    counts = [(row, column, int(evaluation.found[row, column])) for row, column in np.ndindex(evaluation.found.shape)]
    return [(names[row], names[column]) for row, column, count in counts for _ in range(count)]


def _description(
    params: Params, index: FeatureIndex, strategy: Strategy, head: FittedHead, images: int
) -> ModelDescription:
    layer = index.layer(strategy.layer)
    best = next(trial for trial in head.trials if trial.chosen)
    return ModelDescription(
        architecture=index.architecture,
        weights=params.backbone.weights,
        layer=layer.name,
        dim=layer.dim,
        fingerprint=layer.fingerprint,
        strategy=str(strategy),
        head=f"{head.kind}, a yes or no for each class",
        head_settings=(
            ("setting", f"{best.setting} (of {len(head.trials)} tried)"),
            ("temperature", f"{head.temperature:.2f}"),
        ),
        training_images=images,
    )


def _page(evaluation: LabelSetEvaluation, test: Sequence[Example], params: Params, kind: Kind) -> str:
    by_digest = {example.digest: example for example in test}
    source, limits = Path(params.dataset.source), params.dataset.limits
    previews = {
        one.digest: preview_of((one.digest, source / by_digest[one.digest].path), kind, limits)
        for one in evaluation.mistakes
    }
    origin = Origin(params.registry.name, (), changes(params))
    return render_set_report(evaluation, read_ingest_report(), origin, previews, kind.words)
