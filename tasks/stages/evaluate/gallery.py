"""The gallery of a version, made by the stage `evaluate`: training examples with their features by the deployed model."""

import logging
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from tasks.project.paths import FEATURES
from tasks.project.progress import counted
from thaw.dataset.manifest import Example
from thaw.dataset.places import places_of, references_of
from thaw.features.store.store import FeatureStore, Layer
from thaw.kinds.batches import Batch, split
from thaw.kinds.kind import Kind
from thaw.kinds.prepared import read_examples
from thaw.models.gallery import FILE, build_gallery, spread_over_classes, write_gallery
from thaw.models.prediction.predictor import Predictor
from thaw.params.sections import Params

log = logging.getLogger(__name__)
_BATCH = 64


def make_gallery(
    params: Params,
    training: Sequence[Example],
    layer: Layer,
    kind: Kind,
    *,
    report: Path,
    tuned: Predictor | None = None,
) -> None:
    """Write `gallery.parquet` into `report`, of at most `evaluate.gallery` training examples; with 0 there is no gallery.

    Features come from the cache; those of a fine-tuned model, `tuned`, are computed.
    """
    if params.evaluate.gallery == 0:
        return
    places, limits = places_of(params.dataset), params.dataset.limits

    def features_of(examples: Sequence[Example]) -> Tensor:
        if tuned is None:
            return FeatureStore(FEATURES).read(layer.fingerprint, layer.name, [example.digest for example in examples])
        batch = read_examples(references_of(examples, places), tuned.backbone.preprocessing, limits)
        return _features(tuned, batch)

    chosen = spread_over_classes(training, params.evaluate.gallery)
    with counted("gallery", kind.words.many) as progress:
        gallery = build_gallery(
            chosen,
            places,
            features_of,
            fingerprint=layer.fingerprint if tuned is None else tuned.backbone.fingerprint("float32", "float32"),
            layer=layer.name if tuned is None else tuned.layer,
            kind=kind,
            limits=limits,
            progress=progress,
        )
    if len(gallery) < len(chosen):
        log.warning(
            "%d of %d training %s are gone or have changed, and are not in the gallery of what the model learnt from",
            len(chosen) - len(gallery),
            len(chosen),
            kind.words.many,
        )
    write_gallery(gallery, report / FILE)


def _features(tuned: Predictor, batch: Batch) -> Tensor:
    import torch

    return torch.cat([tuned.backbone.features(part)[tuned.layer] for part in split(batch, _BATCH)])
