"""The model assembled from the files of the stages; it is registered, and its cost is measured."""

from dataclasses import replace

from tasks.project.paths import FEATURES_INDEX, FINETUNED, HEAD, MANIFEST, STRATEGY
from thaw.backbones.backbone import Backbone, read_backbone
from thaw.dataset.manifest import read_manifest
from thaw.features.store.store import read_index
from thaw.finetuning.result import read_finetuned
from thaw.heads import read_head
from thaw.heads.open_set import read_openness
from thaw.heads.trigger.storage import holds_trigger_head, read_trigger_head
from thaw.models.prediction.predictor import Predictor
from thaw.models.prediction.reading import Model
from thaw.models.prediction.trigger_predictor import TriggerPredictor
from thaw.params.sections import Params
from thaw.params.values.strategy import read_strategy


def read_assembled(params: Params) -> Model:
    """The fine-tuned network if there is one, else the backbone, cut at the strategy's layer, with the head; or the detectors of triggers."""
    if holds_trigger_head(HEAD):
        return _read_triggers(params)
    tuned = read_finetuned(FINETUNED)
    if tuned is not None:
        return tuned
    layer = read_index(FEATURES_INDEX).layer(read_strategy(STRATEGY).layer)
    return Predictor(_cut(params, layer.name), read_head(HEAD), layer.name, read_openness(HEAD))


def _read_triggers(params: Params) -> TriggerPredictor:
    return TriggerPredictor(_cut(params, read_strategy(STRATEGY).layer), read_trigger_head(HEAD))


def _cut(params: Params, layer: str) -> Backbone:
    """The backbone with one cut layer."""
    backbone = read_backbone(params.backbone.model_copy(update={"layers": (layer,)}), read_manifest(MANIFEST).decoding)
    return replace(backbone, layers=(layer,))
