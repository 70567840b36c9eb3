"""The reference of each version for the watch: features and answers of held-out examples, in `reference.parquet` (`thaw.drift.reference`)."""

from collections.abc import Sequence
from pathlib import Path

import torch

from tasks.project.paths import FEATURES, HEAD
from thaw.backbones.pooling import is_pooled
from thaw.dataset.manifest import TEST, Example, Manifest
from thaw.dataset.places import places_of, references_of
from thaw.dataset.selection import examples_of, validation_examples
from thaw.drift.observed import Observed, observe
from thaw.drift.reference import held_out, reference_of, write_reference
from thaw.features.sequences.recordings import mean_within
from thaw.features.sequences.store import read_sequences, span_of
from thaw.features.store.store import FeatureStore, Layer, SequenceLayer
from thaw.heads import read_head
from thaw.heads.open_set import read_openness
from thaw.heads.trigger.head import TriggerHead
from thaw.kinds.batches import Batch, split
from thaw.kinds.prepared import read_examples
from thaw.models.prediction.answer import answer
from thaw.models.prediction.predictor import BATCH, Predictor
from thaw.models.prediction.trigger_predictor import answer_of
from thaw.params.sections import Params

REFERENCE = "reference.parquet"


def record_reference(params: Params, manifest: Manifest, layer: Layer, tuned: Predictor | None, report: Path) -> None:
    """Write the reference of the deployed model into `report`: from cached features of `layer`, or by the model itself if it was fine-tuned."""
    examples = held_out(examples_of(manifest, TEST), validation_examples(manifest))
    if tuned is None:
        head, rows = read_head(HEAD), _observe_cached(layer, examples)
    else:
        batch = _read(tuned, examples, params)
        head, layer, rows = tuned.head, _layer_of(tuned, next(split(batch, 1))), _observe_batch(tuned, examples, batch)
    write_reference(reference_of(layer, head.class_names, examples, rows), report / REFERENCE)


def record_heard_reference(manifest: Manifest, head: TriggerHead, layer: SequenceLayer, report: Path) -> None:
    """Write the reference of a model of triggers into `report`: the means of cached sequences, and the triggers that are heard."""
    examples = held_out(examples_of(manifest, TEST), validation_examples(manifest))
    heard = read_sequences(FeatureStore(FEATURES), layer, _digests(examples))
    features = torch.stack([mean_within(each.features, each.frames, span_of(layer)) for each in heard])
    rows = observe(_digests(examples), features, answer_of(head, [head.scores(each.features) for each in heard]))
    write_reference(reference_of(layer.stored, head.class_names, examples, rows), report / REFERENCE)


def _observe_cached(layer: Layer, examples: Sequence[Example]) -> Observed:
    features = _cached(layer, examples)
    return observe(_digests(examples), features, answer(read_head(HEAD), read_openness(HEAD), features))


def _read(model: Predictor, examples: Sequence[Example], params: Params) -> Batch:
    references = references_of(examples, places_of(params.dataset))
    return read_examples(references, model.backbone.preprocessing, params.dataset.limits)


def _observe_batch(model: Predictor, examples: Sequence[Example], batch: Batch) -> Observed:
    features = torch.cat([model.backbone.features(part)[model.layer].clone() for part in split(batch, BATCH)])
    return observe(_digests(examples), features, answer(model.head, model.openness, features))


def _layer_of(model: Predictor, batch: Batch) -> Layer:
    """The layer of the model's features in a store, from a pass of one example."""
    backbone = model.backbone
    with torch.inference_mode():
        output = backbone.extractor(backbone.preprocessing.normalise(batch))[model.layer]
    fingerprint = backbone.fingerprint("float32", "float32", pooled=is_pooled(output))
    return Layer(
        fingerprint, model.layer, backbone.pool(model.layer, output, backbone.preprocessing.mask(batch)).shape[1]
    )


def _cached(layer: Layer, examples: Sequence[Example]) -> torch.Tensor:
    return FeatureStore(FEATURES).read(layer.fingerprint, layer.name, _digests(examples))


def _digests(examples: Sequence[Example]) -> list[bytes]:
    return [example.digest for example in examples]
