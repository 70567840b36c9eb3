"""The stage `evaluate`: the model on the test split, beside its baselines; metrics, predictions, figures and a page to read."""

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tasks.project.entry import stage
from tasks.project.local_state import BASELINES
from tasks.project.measurements import forget_others, kept_under
from tasks.project.paths import (
    CERTIFICATE,
    FEATURES,
    FEATURES_INDEX,
    FINETUNED,
    HEAD,
    MANIFEST,
    PREDICTED,
    REPORT,
    SETTINGS,
    STRATEGY,
)
from tasks.stages.evaluate.drift_reference import record_reference
from tasks.stages.evaluate.gallery import make_gallery
from tasks.stages.evaluate.leakage_and_cost import COST, check
from tasks.stages.evaluate.metrics import metrics_of
from tasks.stages.evaluate.mistakes import Shower
from tasks.stages.evaluate.parity import compare_ways
from tasks.stages.evaluate.report_files import read_ingest_report, table_of, write_certificate_page
from tasks.stages.evaluate.surroundings import surroundings_of
from tasks.stages.evaluate.trained_baselines import Setting, measure_contenders, texts_in
from tasks.stages.evaluate.trigger import evaluate_triggers
from thaw.backbones.backbone import read_backbone
from thaw.dataset.ingest_report import IngestReport
from thaw.dataset.manifest import TEST, Example, Manifest, read_manifest
from thaw.dataset.places import places_of, references_of
from thaw.dataset.selection import examples_of, training_examples
from thaw.dataset.slices import FILE as SLICES
from thaw.dataset.slices import write_slices
from thaw.evaluation.evaluation import Evaluation, ModelDescription, count_rejections, evaluate
from thaw.evaluation.held_out import constantly, predictions_of, settings_of
from thaw.evaluation.report import Origin, figure_pngs, render_report
from thaw.evaluation.wording import WORDING
from thaw.features.store.coverage import sentences
from thaw.features.store.store import FeatureStore, read_index
from thaw.finetuning.result import read_finetuned
from thaw.foundation.errors import BadManifest
from thaw.foundation.files.atomic import replaced_folder, write_bytes, write_text
from thaw.heads import read_head
from thaw.heads.open_set import read_openness
from thaw.kinds.batches import examples_in
from thaw.kinds.kind import Kind
from thaw.kinds.prepared import read_examples
from thaw.kinds.views import expand_views
from thaw.models.prediction.answer import Answer, answer
from thaw.models.prediction.predictor import Predictor
from thaw.models.serving_cost import ServingCost, facts_of, read_serving_cost
from thaw.params.sections import Params
from thaw.params.values.kind import shown_as_read
from thaw.params.values.listing import changes
from thaw.params.values.reading import read_settings
from thaw.params.values.resampling import resampling_of
from thaw.params.values.strategy import PLAIN, read_strategy
from thaw.strategies.advice.record import read_predicted
from thaw.strategies.baselines.learners import MAJORITY
from thaw.strategies.baselines.transfer_gain import FROZEN
from thaw.strategies.certificate.record import read_certificate
from thaw.targets.predictions import Predictions, write_predictions
from thaw.targets.supports import supports
from thaw.targets.target import target_of

log = logging.getLogger(__name__)


def main() -> None:
    """Read the head and the features, evaluate, write `data/report/`."""
    params, manifest = read_settings(SETTINGS), read_manifest(MANIFEST)
    if supports(target_of(manifest), "sequences"):
        evaluate_triggers(params, manifest, read_index(FEATURES_INDEX))
        return
    kind = shown_as_read(manifest.settled_kind, params.backbone)
    head, test = read_head(HEAD), examples_of(manifest, TEST)
    if not test:
        raise BadManifest(
            "there is nothing labelled to test on; raise dataset.splits.test, or put some into a folder `test`"
        )
    index = read_index(FEATURES_INDEX)
    strategy = read_strategy(STRATEGY)
    views = tuple(index.layer(strategy.layer, view) for view in expand_views(params.head.views, kind))
    layer = views[0]
    store = FeatureStore(FEATURES)
    features = store.read(layer.fingerprint, layer.name, [example.digest for example in test])
    tuned, openness = read_finetuned(FINETUNED), read_openness(HEAD)
    frozen = answer(head, openness, features)
    model, answered = head, frozen
    if tuned is not None:
        model, openness, answered = tuned.head, tuned.openness, _of_files(tuned, test, params)
    predictions = predictions_of(test, answered)

    def predict(examples: Sequence[Example]) -> Predictions:
        if tuned is not None:
            return predictions_of(examples, _of_files(tuned, examples, params))
        cached = store.read(layer.fingerprint, layer.name, [example.digest for example in examples])
        return predictions_of(examples, answer(head, openness, cached))

    wording = WORDING[model.target_name]
    backbone = read_backbone(params.backbone, manifest.decoding)
    kept = kept_under(BASELINES, params, [], [])
    transfer = measure_contenders(
        Setting(
            params, manifest, views, backbone, store, head.class_names, strategy.head, test, texts_in(head, strategy)
        ),
        kept,
    )
    description = ModelDescription(
        architecture=index.architecture,
        weights=params.backbone.weights,
        layer=layer.name,
        dim=layer.dim,
        fingerprint=layer.fingerprint if tuned is None else tuned.backbone.fingerprint("float32", "float32"),
        strategy=str(strategy),
        head=f"{model.kind}{wording.head}",
        head_settings=settings_of(model),
        training_examples=len(training_examples(manifest, params.dataset.labels_per_class)),
    )
    baselines = _majority(params, manifest, predictions)
    if tuned is not None:
        baselines.append((FROZEN, predictions_of(test, frozen)))
    surroundings = surroundings_of(manifest, test, predict)
    evaluation = evaluate(
        predictions,
        description,
        params.evaluate,
        resampling=resampling_of(params.statistics),
        thresholds=model.thresholds,
        baselines=baselines,
        transfer=transfer,
        predicted=read_predicted(PREDICTED),
        certificate=read_certificate(CERTIFICATE),
        rejections=None if openness is None else count_rejections(openness, answered.accepted, predictions),
        surroundings=surroundings,
    )
    frozen_model = Predictor(backbone.only((layer.name,)), head, layer.name, openness)
    learnt = training_examples(manifest, params.dataset.labels_per_class)
    forget_others(kept)
    with replaced_folder(REPORT) as report:
        compare_ways(tuned or frozen_model, test, params, None if tuned else features, report)
        make_gallery(params, learnt, layer, kind, report=report, tuned=tuned)
        own = tuned.backbone.preprocessing if tuned is not None and strategy.kind == PLAIN else None
        check(params, manifest, layer, test, report, plain=own)
        record_reference(params, manifest, layer, tuned, report)
        write_report(evaluation, predictions, tuned or frozen_model, params, kind, report=report)
        if surroundings.slices is not None:
            write_slices(surroundings.slices, report / SLICES)
    title, reached = evaluation.judged_by.title, evaluation.headline
    log.info(
        "%s %.3f (%.3f to %.3f) on %d test %s",
        title,
        reached.value,
        reached.low,
        reached.high,
        len(test),
        kind.words.many,
    )


def _of_files(model: Predictor, test: Sequence[Example], params: Params) -> Answer:
    """The answer of a model without cached features, for the examples themselves."""
    references = references_of(test, places_of(params.dataset))
    return model.predict(examples_in(read_examples(references, model.backbone.preprocessing, params.dataset.limits)))


def write_report(
    evaluation: Evaluation,
    predictions: Predictions,
    model: Predictor,
    params: Params,
    kind: Kind,
    *,
    report: Path,
) -> None:
    """Write the predictions, tables, figures, pages and metrics into `report`."""
    write_predictions(predictions, report / "predictions.parquet")
    write_text(report / "confusion.csv", table_of(("actual", "predicted"), _pairs(predictions)))
    bins = [(part.low, part.high, part.n, part.confidence, part.accuracy) for part in evaluation.reliability]
    write_text(report / "reliability.csv", table_of(("low", "high", "n", "confidence", "accuracy"), bins))
    for name, png in figure_pngs(evaluation, kind.words):
        write_bytes(report / "figures" / f"{name}.png", png)
    if evaluation.certificate is not None:
        write_certificate_page(evaluation.certificate, params.registry.name, kind.words, report)
    write_text(report / "report.html", _page(evaluation, model, params, kind, read_serving_cost(report / COST)))
    write_text(report / "metrics.json", json.dumps(metrics_of(evaluation), indent=2) + "\n")


def _pairs(predictions: Predictions) -> list[tuple[str, str]]:
    """Pairs of a true and a named class for DVC's plot, which counts them: one for each example, or with label sets as many as the matrix counts."""
    names = predictions.class_names
    return [(names[shown], names[named]) for shown, named in predictions.target.pairs(predictions)]


def _majority(params: Params, manifest: Manifest, predictions: Predictions) -> list[tuple[str, Predictions]]:
    """The best constant answer; empty if it is not requested."""
    if MAJORITY not in params.evaluate.baselines:
        return []
    return [(MAJORITY, constantly(training_examples(manifest, None), predictions))]


def _page(evaluation: Evaluation, model: Predictor, params: Params, kind: Kind, cost: ServingCost) -> str:
    maps = min(params.evaluate.maps, len(evaluation.mistakes))
    shower = Shower(places_of(params.dataset), kind, params.dataset.limits, model, maps)
    shown = shower.show((*evaluation.mistakes, *evaluation.right))
    origin = Origin(params.registry.name, facts_of(cost, kind.words), changes(params))
    return render_report(
        evaluation,
        _data_of(kind),
        origin,
        shown.previews,
        kind.words,
        explained=shown.explained,
        legend=shown.legend,
    )


def _data_of(kind: Kind) -> IngestReport:
    """The ingest report, and in its notes how much of the data the backbone takes in."""
    report, index = read_ingest_report(), read_index(FEATURES_INDEX)
    if index.coverage is None:
        return report
    return replace(report, notes=(*report.notes, *sentences(index.coverage, kind.words, index.rows)))


if __name__ == "__main__":
    stage(main)
