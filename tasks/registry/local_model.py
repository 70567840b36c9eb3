"""The model assembled from the files of the stages; it is registered, and its cost is measured."""

from dataclasses import replace

from tasks.project.paths import FEATURES_INDEX, FINETUNED, HEAD, MANIFEST, STRATEGY
from thaw.backbones.backbone import read_backbone
from thaw.dataset.manifest import read_manifest
from thaw.features.store.store import read_index
from thaw.finetuning.result import read_finetuned
from thaw.heads import read_head
from thaw.heads.open_set import read_openness
from thaw.models.prediction.predictor import Predictor
from thaw.params.sections import Params
from thaw.params.values.strategy import read_strategy


def read_assembled(params: Params) -> Predictor:
    """The fine-tuned network if there is one, else the backbone, cut at the strategy's layer, with the head."""
    tuned = read_finetuned(FINETUNED)
    if tuned is not None:
        return tuned
    layer = read_index(FEATURES_INDEX).layer(read_strategy(STRATEGY).layer)
    backbone = read_backbone(
        params.backbone.model_copy(update={"layers": (layer.name,)}), read_manifest(MANIFEST).decoding
    )
    backbone = replace(backbone, layers=(layer.name,))
    return Predictor(backbone, read_head(HEAD), layer.name, read_openness(HEAD))
