"""The measurement of a model on examples that it has not learnt from."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from thaw.dataset.manifest import TEST, Example, Manifest, build_manifest
from thaw.dataset.places import Places, references_of
from thaw.dataset.selection import training_examples
from thaw.evaluation.evaluation import ModelDescription, evaluate
from thaw.evaluation.held_out import constantly, predictions_of, settings_of
from thaw.evaluation.wording import WORDING
from thaw.foundation.errors import BadManifest
from thaw.kinds.batches import examples_in
from thaw.kinds.prepared import read_examples
from thaw.models.prediction.answer import Answer, answer
from thaw.models.prediction.predictor import Predictor
from thaw.notebook.data import Data, cached, read_data
from thaw.notebook.report import Report, Showing
from thaw.notebook.setup import Setup
from thaw.notebook.sources import locate
from thaw.params.values.resampling import resampling_of
from thaw.params.values.strategy import PLAIN
from thaw.strategies.baselines.learners import MAJORITY
from thaw.targets.predictions import Predictions
from thaw.targets.target import target_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Trained:
    """A model with what it was made from. manifest: of its source. strategy: in words."""

    predictor: Predictor
    setup: Setup
    manifest: Manifest
    strategy: str


def measured(model: Trained, predictions: Predictions, places: Places, notes: tuple[str, ...]) -> Report:
    """The report on predictions. places: of the predicted examples."""
    params, manifest = model.setup.params, model.manifest
    evaluation = evaluate(
        predictions,
        _description(model),
        params.evaluate,
        resampling=resampling_of(params.statistics),
        thresholds=model.predictor.head.thresholds,
        baselines=[(MAJORITY, constantly(training_examples(manifest, None), predictions))],
    )
    kind = model.setup.kind.of_set(manifest.decoding)
    return Report(evaluation, predictions, notes, Showing(places, kind, params.dataset.limits))


def on_source(model: Trained, source: "str | Path | pd.DataFrame", listing: str | None) -> Report:
    """The report on all labelled examples of a source, but those whose content the model has learnt from.

    Raises:
        BadManifest: no such example is left, or the source has other classes or another target than the model.
    """
    predictor, setup = model.predictor, model.setup
    data = read_data(setup.on(locate(source, setup.cache), listing), level=6)
    known = {row.digest for row in model.manifest.examples() if row.split != TEST}
    labelled = [row for row in data.manifest.examples() if row.names is not None]
    rows = [row for row in labelled if row.digest not in known]
    _refuse_unknown(predictor, data, rows)
    predictions = predictions_of(rows, _answered(model, data, rows))
    left_out = len(labelled) - len(rows)
    many = setup.kind.words.many
    notes = (f"{left_out} {many} are left out, because the model has learnt from them.",) if left_out else ()
    return measured(model, predictions, data.places, (*notes, *data.ingested.report.notes))


def _refuse_unknown(predictor: Predictor, data: Data, rows: list[Example]) -> None:
    own, given = predictor.head.target, target_of(data.manifest)
    if own.name != given.name:
        raise BadManifest(
            f"the source has {given.words}, and the model names {own.words}; name a source of {own.words}"
        )
    if not rows:
        raise BadManifest("the source has no labelled example that the model has not learnt from; name another one")
    if unknown := sorted({name for row in rows for name in row.names or ()} - {*predictor.class_names}):
        raise BadManifest(
            f"the source has classes that the model does not know: {', '.join(map(repr, unknown))}; "
            f"leave them out, or call them as the model does: {', '.join(map(repr, predictor.class_names))}"
        )


def _answered(model: Trained, data: Data, rows: list[Example]) -> Answer:
    predictor, setup = model.predictor, model.setup
    backbone = predictor.backbone
    if model.strategy == PLAIN:
        references = references_of(rows, data.places)
        return predictor.predict(
            examples_in(read_examples(references, backbone.preprocessing, setup.params.dataset.limits))
        )
    asked = build_manifest(rows, data.manifest.kind, data.manifest.decoding)
    layer = cached(setup, asked, data.places, backbone).layer(None)
    features = setup.cache.features.read(layer.fingerprint, layer.name, [row.digest for row in rows])
    return answer(predictor.head, predictor.openness, features)


def _description(model: Trained) -> ModelDescription:
    predictor, params = model.predictor, model.setup.params
    head = predictor.head
    return ModelDescription(
        architecture=predictor.backbone.architecture,
        weights=model.setup.asked.backbone.weights,
        layer=predictor.layer,
        dim=head.on_features.standardisation.mean.shape[0],
        fingerprint="",
        strategy=model.strategy,
        head=f"{head.kind}{WORDING[head.target_name].head}",
        head_settings=settings_of(head),
        training_examples=len(training_examples(model.manifest, params.dataset.labels_per_class)),
    )
