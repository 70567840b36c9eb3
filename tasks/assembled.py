"""The model assembled from the files of the stages: what is registered, and what its cost is measured with."""

from dataclasses import replace

from tasks.paths import FEATURES_INDEX, FINETUNED, HEAD, STRATEGY
from thaw.backbones import read_backbone
from thaw.features import read_index
from thaw.finetuned import read_finetuned
from thaw.heads import read_head
from thaw.multilabel.predictor import LabelSetPredictor
from thaw.multilabel.storage import holds_label_set_head, read_label_set_head
from thaw.openness import read_openness
from thaw.params import Params
from thaw.predictor import Predictor
from thaw.strategy import read_strategy


def read_assembled(params: Params) -> Predictor | LabelSetPredictor:
    """The fine-tuned network where there is one, else the backbone, cut at the strategy's layer, with the head."""
    tuned = read_finetuned(FINETUNED)
    if tuned is not None:
        return tuned
    layer = read_index(FEATURES_INDEX).layer(read_strategy(STRATEGY).layer)
    backbone = read_backbone(params.backbone.model_copy(update={"layers": (layer.name,)}))
    backbone = replace(backbone, layers=(layer.name,))
    if holds_label_set_head(HEAD):
        return LabelSetPredictor(backbone, read_label_set_head(HEAD), layer.name)
    return Predictor(backbone, read_head(HEAD), layer.name, read_openness(HEAD))
